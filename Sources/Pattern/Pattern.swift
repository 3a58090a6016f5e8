internal import CPCRE2

/// A compiled regular expression in Perl's syntax (PCRE2, with its just-in-time compiler).
///
/// Texts come from outside, so each match is bounded: it looks at the first `reach` bytes and gives up, which
/// counts as no match, once it has backtracked too often. Bytes that are not UTF-8 match nothing and stop nothing.
public final class Pattern: @unchecked Sendable {
  /// A regular expression that does not compile.
  public struct Failure: Error, Equatable, Sendable {
    public let message: String
    /// Where in the regular expression, in bytes from its start.
    public let offset: Int
  }

  /// What matched; a group that took no part is nil.
  public struct Match: Sendable {
    /// The whole match first, then the groups by number.
    public let groups: [String?]
    fileprivate let names: [(name: String, number: Int)]

    public var whole: String { groups[0] ?? "" }

    /// The text of a named group; nil if it took no part or there is none of that name.
    public func text(of group: String) -> String? {
      names.lazy.filter { $0.name == group }.compactMap { self.groups[$0.number] }.first
    }
  }

  /// How many bytes of a text are looked at.
  public static let reach = 64 * 1024

  private static let backtracks: UInt32 = 100_000
  private static let kibibytesOfHeap: UInt32 = 8 * 1024

  // Neither changes after `init`; PCRE2 lets threads share both, and each match has match data of its own.
  private let code: OpaquePointer
  private let limits: OpaquePointer
  private let names: [(name: String, number: Int)]
  /// Characters, and so bytes, that a text has at least in which it matches.
  private let shortest: Int

  public init(_ regex: String, ignoringCase: Bool = false) throws(Failure) {
    var options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C
    if ignoringCase { options |= PCRE2_CASELESS }
    var error: CInt = 0
    var offset = 0
    let bytes = Array(regex.utf8)
    guard let code = pcre2_compile_8(bytes, bytes.count, options, &error, &offset, nil) else {
      throw Failure(message: Self.message(error), offset: offset)
    }
    guard let limits = pcre2_match_context_create_8(nil) else { fatalError("no memory for a match context") }
    pcre2_set_match_limit_8(limits, Self.backtracks)
    pcre2_set_heap_limit_8(limits, Self.kibibytesOfHeap)
    // Where this fails, the interpreter matches the same.
    pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
    self.code = code
    self.limits = limits
    names = Self.names(of: code)
    var least: UInt32 = 0
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_MINLENGTH), &least)
    shortest = Int(least)
  }

  deinit {
    pcre2_match_context_free_8(limits)
    pcre2_code_free_8(code)
  }

  public func firstMatch(in text: String) -> Match? {
    var text = text
    return text.withUTF8 { match($0) }
  }

  public func firstMatch(in text: [UInt8]) -> Match? { text.withUnsafeBufferPointer { match($0) } }

  public func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches($0) }
  }

  public func matches(_ text: [UInt8]) -> Bool { text.withUnsafeBufferPointer { matches($0) } }

  /// Takes no copy of what matched.
  public func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard text.count >= shortest, let data = pcre2_match_data_create_8(1, nil) else { return false }
    defer { pcre2_match_data_free_8(data) }
    // 0: it matched, and not every group has room in `data`.
    return run(UnsafeBufferPointer(rebasing: text.prefix(Self.reach)), data) >= 0
  }

  private func match(_ whole: UnsafeBufferPointer<UInt8>) -> Match? {
    let text = UnsafeBufferPointer(rebasing: whole.prefix(Self.reach))
    guard text.count >= shortest, let data = pcre2_match_data_create_from_pattern_8(code, nil) else { return nil }
    defer { pcre2_match_data_free_8(data) }
    guard run(text, data) > 0, let offsets = pcre2_get_ovector_pointer_8(data) else { return nil }
    let groups = (0..<Int(pcre2_get_ovector_count_8(data))).map { group -> String? in
      let (start, end) = (offsets[2 * group], offsets[2 * group + 1])
      // Both are -1 where a group took no part; `\K` in a lookahead can set the start behind the end.
      return 0 <= start && start <= end ? String(decoding: text[start..<end], as: UTF8.self) : nil
    }
    return Match(groups: groups, names: names)
  }

  /// How many groups there are in the match, with the whole of it; negative if there is none.
  private func run(_ text: UnsafeBufferPointer<UInt8>, _ data: OpaquePointer) -> CInt {
    let count = pcre2_match_8(code, text.baseAddress, text.count, 0, 0, data, limits)
    guard count == PCRE2_ERROR_JIT_STACKLIMIT else { return count }
    return pcre2_match_8(code, text.baseAddress, text.count, 0, PCRE2_NO_JIT, data, limits)
  }

  /// Each entry of the name table is a number of two bytes and a zero-terminated name.
  private static func names(of code: OpaquePointer) -> [(name: String, number: Int)] {
    var count: UInt32 = 0
    var size: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    guard let table else { return [] }
    return (0..<Int(count)).map { index in
      let entry = table + index * Int(size)
      return (String(cString: entry + 2), Int(entry[0]) << 8 | Int(entry[1]))
    }
  }

  private static func message(_ error: CInt) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    pcre2_get_error_message_8(error, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }
}
