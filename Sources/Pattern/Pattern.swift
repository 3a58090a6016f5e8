internal import CPCRE2

/// A regular expression (PCRE2, compiled by its JIT where there is one), shared by threads without harm.
///
/// `@unchecked Sendable`: the compiled code is never changed after `init`, and each match has data of its own.
public final class Pattern: @unchecked Sendable {
  /// Why a regular expression does not compile, and at which byte of it.
  public struct Failure: Error, Equatable {
    public let message: String
    public let offset: Int
  }

  /// What matched, and its groups.
  public struct Match: Sendable, Equatable {
    public let whole: String
    private let groups: [String?]
    private let names: [String: Int]

    /// The text of a numbered group, 1 for the first; nil if it took no part.
    public func text(of group: Int) -> String? { groups.indices.contains(group) ? groups[group] : nil }
    /// The text of a named group; nil if there is none or it took no part.
    public func text(of name: String) -> String? { names[name].flatMap { text(of: $0) } }

    fileprivate init(groups: [String?], names: [String: Int]) {
      whole = groups.first.flatMap { $0 } ?? ""
      self.groups = groups
      self.names = names
    }
  }

  private let code: OpaquePointer
  private let limits: OpaquePointer?
  private let names: [String: Int]

  public init(_ regex: String, ignoringCase: Bool = false) throws(Failure) {
    var error: Int32 = 0
    var offset = 0
    let options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOTALL | (ignoringCase ? PCRE2_CASELESS : 0)
    let bytes = Array(regex.utf8)
    guard let code = pcre2_compile_8(bytes, bytes.count, UInt32(options), &error, &offset, nil) else {
      throw Failure(message: Self.message(error), offset: offset)
    }
    self.code = code
    pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    limits = pcre2_match_context_create_8(nil)
    // A hostile text must not make it run for ever.
    pcre2_set_match_limit_8(limits, 1_000_000)
    names = Self.names(of: code)
  }

  deinit {
    pcre2_code_free_8(code)
    pcre2_match_context_free_8(limits)
  }

  public func matches(_ text: String) -> Bool { firstMatch(in: text) != nil }

  public func firstMatch(in text: String) -> Match? { firstMatch(in: Array(text.utf8)) }

  /// Bytes that are no UTF-8 match nothing.
  public func firstMatch(in text: [UInt8]) -> Match? {
    guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { return nil }
    defer { pcre2_match_data_free_8(data) }
    let count = pcre2_match_8(code, text, text.count, 0, 0, data, limits)
    guard count > 0, let ends = pcre2_get_ovector_pointer_8(data) else { return nil }
    let groups = (0..<Int(pcre2_get_ovector_count_8(data))).map { group -> String? in
      let (start, end) = (ends[2 * group], ends[2 * group + 1])
      return group < Int(count) && start <= end && end <= text.count
        ? String(decoding: text[start..<end], as: UTF8.self) : nil
    }
    return Match(groups: groups, names: names)
  }

  private static func message(_ error: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    pcre2_get_error_message_8(error, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The table of names: entries of one size, the group's number in two bytes before its name.
  private static func names(of code: OpaquePointer) -> [String: Int] {
    var count: UInt32 = 0
    var size: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    guard let table else { return [:] }
    return (0..<Int(count)).reduce(into: [:]) { names, index in
      let entry = table + index * Int(size)
      names[String(cString: entry + 2)] = Int(entry[0]) << 8 | Int(entry[1])
    }
  }
}
