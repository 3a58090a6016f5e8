/// nginx configuration as nginx itself reads it: text in, values out, no I/O.
///
/// Source: nginx, `ngx_conf_file.c` (words and blocks), `ngx_http.c` and `ngx_hash.c` (servers),
/// `ngx_http_core_module.c` (locations), `ngx_http_proxy_module.c` and `ngx_http_upstream.c` (upstreams).
public enum Nginx {
  /// `name argument… ;` or `name argument… { block }`.
  public struct Directive: Sendable, Equatable {
    public let name: String
    public let arguments: [Argument]
    /// Nil if it ends with `;`. For a block in Lua it is empty.
    public var block: [Directive]?
    public let file: String
    /// The line of its name, from 1.
    public let line: Int
    /// The line of its `;` or `{`: the one that nginx names in its messages.
    public let lastLine: Int

    /// The text of an argument, 0 for the first after the name.
    public func text(_ index: Int) -> String? {
      arguments.indices.contains(index) ? arguments[index].text : nil
    }
  }

  /// One word after a directive's name.
  public struct Argument: Sendable, Equatable {
    /// Without quotes, escapes replaced, variables as written.
    public let text: String
    /// From 1.
    public let line: Int
    /// Where the text stands in its line, in UTF-8 bytes from 0 and without quotes.
    /// Nil if it has escapes or goes on over a line's end: then no part of it has a place of its own.
    public let columns: Range<Int>?
  }

  /// What keeps nginx from loading the configuration, in nginx's own words where it has some.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public let file: String
    /// The line that nginx names, from 1.
    public let line: Int
    public let message: String
    /// The line at whose end a `;` is probably missing.
    public let unterminatedLine: Int?
    /// The file ends too early.
    public let isEndOfFile: Bool
    /// How many lines, from that one on, have the same mistake.
    var lines = 1
    /// What is wrong in the line, and what was probably meant.
    struct Slip: Sendable, Equatable {
      let written: String
      let meant: String
    }
    var slip: Slip?
    /// A link, found by an include, to a file that is no more.
    var deadLink: String?

    init(file: String, line: Int, message: String, unterminatedLine: Int? = nil, isEndOfFile: Bool = false) {
      self.file = file
      self.line = line
      self.message = message
      self.unterminatedLine = unterminatedLine
      self.isEndOfFile = isEndOfFile
    }

    public var description: String { "\(file):\(line): \(message)" }
  }

  /// The groups of a match by their number (`1`) or name; nil for a group that took no part.
  public typealias Groups = @Sendable (_ group: String) -> String?
  /// Searches a text for a Perl-compatible regular expression; nil if it does not match or compile.
  public typealias Matcher = @Sendable (_ regex: String, _ text: String) -> Groups?
}

extension [Nginx.Directive] {
  func all(_ name: String) -> [Nginx.Directive] { filter { $0.name == name } }
  func first(_ name: String) -> Nginx.Directive? { first { $0.name == name } }
}

extension Traced {
  init(_ argument: Nginx.Argument, in file: String) {
    self.init(argument.text, file: file, line: argument.line, columns: argument.columns)
  }
}
