/// Apache httpd's configuration as httpd 2.4 itself reads it: text in, values out, no I/O.
///
/// Source: httpd's `server/config.c` and `server/util.c` (lines, words, sections), `server/vhost.c` (virtual hosts),
/// `modules/proxy/mod_proxy.c` (ProxyPass), and the documentation of the directives.
public enum Apache {
  /// `Name argument…`, or `<Name argument…>` with what stands in it.
  public struct Directive: Sendable, Equatable {
    public let name: String
    /// Names are compared without regard to case.
    var key: String { name.lowercased() }
    var arguments: [Traced]
    /// Nil if it is no section.
    public var block: [Directive]?
    public let file: String
    /// From 1; with continued lines the last, as httpd counts in its messages.
    public var line: Int { Int(number) }  // fits: 32 bits
    private let number: Int32
    /// Of a section that the file's end closes.
    let isOpen: Bool

    init(name: String, arguments: [Traced], block: [Directive]?, file: String, line: Int, isOpen: Bool = false) {
      (self.name, self.arguments, self.block) = (name, arguments, block)
      (self.file, number, self.isOpen) = (file, Int32(clamping: line), isOpen)
    }

    /// The text of an argument, 0 for the first after the name.
    public func text(_ index: Int) -> String? {
      arguments.indices.contains(index) ? arguments[index].text : nil
    }
  }

  /// What keeps httpd from loading the configuration, in its own words.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let message: String
    /// The directive's name, if that is what is not known.
    public var unknown: String? = nil
    public var description: String { "\(file):\(line): \(message)" }
  }
}

extension [Apache.Directive] {
  func all(_ name: String) -> [Apache.Directive] { filter { $0.key == name } }

  /// The last one counts.
  func last(_ name: String) -> Apache.Directive? { last { $0.key == name } }
}
