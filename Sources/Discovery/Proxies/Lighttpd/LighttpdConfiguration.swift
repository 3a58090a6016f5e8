import Model
import Routes
import World

extension Lighttpd {
  /// A value, and where it stands if it is written there letter by letter.
  struct Value: Sendable {
    enum Content: Sendable {
      case text(String)
      case number(Int)
      case list([Element])
      /// It depends on something that no file says.
      case unknown
    }

    let content: Content
    /// Where its letters stand.
    var span: Span?
    /// Where it begins: file and line.
    let place: Place
    /// Of a list: its closing parenthesis, and whether another element needs a comma before it.
    var end: (span: Span, needsComma: Bool)?

    /// Text and numbers as text.
    var text: String? {
      switch content {
      case .text(let text): text
      case .number(let number): String(number)
      case .list, .unknown: nil
      }
    }
    var elements: [Element] { if case .list(let elements) = content { elements } else { [] } }
    var isUnknown: Bool { if case .unknown = content { true } else { false } }

    /// An element of a list by its name.
    subscript(name: String) -> Value? { elements.first { $0.name == name }?.value }
  }

  struct Element: Sendable {
    /// Nil for one without `=>`.
    let name: String?
    let nameSpan: Span?
    let value: Value
  }

  struct Place: Sendable, Equatable {
    let file: String
    /// From 1.
    let line: Int
    var text: String { "\(file):\(line)" }
  }

  /// What must hold for a block: `$HTTP["host"] == "a"`.
  struct Condition: Sendable {
    /// `HTTP`, `SERVER`, `REQUEST_HEADER`, and the word in brackets.
    let object: String
    let field: String
    /// `==`, `!=`, `=~`, `!~`, `=^`, `=$`.
    let comparison: String
    let value: Value
  }

  /// The top of the files, or a block of a condition.
  struct Block: Sendable {
    let parent: Int?
    /// The block of which this one is the `else`.
    let previous: Int?
    /// Nil for the top, and for an `else` without one.
    let condition: Condition?
    let place: Place
    var settings: [String: Value] = [:]
  }

  /// All files, read as lighttpd reads them: what a line says depends on the lines before it.
  struct Configuration: Sendable {
    fileprivate(set) var blocks: [Block]
    /// Files in the order in which they were taken in.
    fileprivate(set) var files: [String] = []
    fileprivate(set) var mistake: Mistake?
    fileprivate var texts: [String: FileText] = [:]

    func line(_ number: Int, of file: String) -> String? { texts[file]?.line(number) }
  }
}

extension Lighttpd.Configuration {
  /// Throws what keeps the files from being read; a mistake in them is kept.
  static func load(_ main: String, _ proxy: RunningProxy) async throws(Unseen) -> Self {
    var loader = Loader(main: main, proxy)
    do { try await loader.include(main) } catch let mistake as Lighttpd.Mistake {
      loader.configuration.mistake = mistake
    } catch let unseen as Unseen {
      throw unseen
    } catch {
      throw .unreadable(what: main, why: .said("\(error)"))
    }
    return loader.configuration
  }
}

/// Reads files, one in another, and makes blocks of them.
private struct Loader {
  var configuration: Lighttpd.Configuration
  private let proxy: RunningProxy
  /// Where relative names begin.
  private let folder: String
  private var allowance = Allowance()
  private var included = 0
  private var depth = 0
  /// The block that is open.
  private var current = 0
  /// Blocks of the same condition below the same parent are one.
  private var known: [String: Int] = [:]

  init(main: String, _ proxy: RunningProxy) {
    self.proxy = proxy
    folder = String(main[..<(main.lastIndex(of: "/") ?? main.startIndex)]) + "/"
    let place = Lighttpd.Place(file: main, line: 1)
    var top = Lighttpd.Block(parent: nil, previous: nil, condition: nil, place: place)
    for name in ["var.CWD", "var.PID"] { top.settings[name] = Lighttpd.Value(content: .unknown, place: place) }
    configuration = Lighttpd.Configuration(blocks: [top])
  }

  // MARK: Files

  mutating func include(_ path: String) async throws {
    included += 1
    depth += 1
    defer { depth -= 1 }
    guard included <= Limits.includes, depth <= 64 else {
      throw Unseen.unreadable(what: path, why: .init(.tooManyFiles, "\(Limits.includes)"))
    }
    guard let text = try await proxy.files.read(path) else { throw Unseen.missing(what: path) }
    configuration.files.append(path)
    configuration.texts[path] = FileText(text)
    var source = try Source(text, of: path, &allowance)
    try await lines(&source, of: nil)
    try source.finish()
  }

  private mutating func include(named value: Lighttpd.Value) async throws {
    guard let name = value.text else {
      proxy.files.note(unread: .unreadable(what: value.place.text, why: .init(.nameInVariable)))
      return
    }
    let isAbsolute = ["/", "./", "../"].contains { name.hasPrefix($0) }
    try await include(matching: isAbsolute ? ProxyFiles.absolute(name, in: folder) : folder + name, value)
  }

  private mutating func include(matching pattern: String, _ value: Lighttpd.Value) async throws {
    let isPattern = pattern.contains { "*?[]{}".contains($0) }
    guard isPattern else {
      guard try await proxy.files.read(pattern) != nil else {
        throw Lighttpd.Mistake(
          file: value.place.file, line: value.place.line, message: "include file not found: \(pattern)")
      }
      return try await include(pattern)
    }
    for path in proxy.files.bounded(try await proxy.files.glob(pattern)) { try await include(path) }
  }

  /// What Debian's own scripts print is known; others are not run.
  ///
  /// Source: `/usr/share/lighttpd` of Debian's package 1.4.69.
  private mutating func includeShell(_ value: Lighttpd.Value) async throws {
    let words = (value.text ?? "").split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("/usr/share/lighttpd/create-mime.conf.pl", 1): return
    case ("/usr/share/lighttpd/use-ipv6.pl", 1...2):
      // It makes lighttpd listen at the same port by IPv6.
      return
    case ("/usr/share/lighttpd/include-conf-enabled.pl", 1):
      try await include(matching: "/etc/lighttpd/conf-enabled/*.conf", value)
    default:
      let command = (value.text ?? "a command").printable
      proxy.files.note(unread: .unreadable(what: value.place.text, why: .init(.outputOf, command)))
    }
  }

  // MARK: Lines

  /// Lines up to the end of the file, or to the brace that closes a block. A token that does not fit is passed over, as
  /// lighttpd does.
  private mutating func lines(_ source: inout Source, of head: Lighttpd.Token?) async throws {
    while let token = source.peek {
      switch token.kind {
      case .name: try assignment(&source)
      case .include, .includeShell:
        source.advance()
        let value = try expression(&source)
        if token.kind == .include {
          try await include(named: value)
        } else {
          try await includeShell(value)
        }
      case .global:
        source.advance()
        let before = current
        current = 0
        try await block(&source, from: token)
        current = before
      case .sign where token.text == "$": try await conditions(&source)
      case .sign where token.text == "}" && head != nil: return
      default: source.advance()
      }
    }
    if let head { throw source.mistake("a closing brace } is missing", at: head) }
  }

  /// `{ … }`, of which `head` is the beginning.
  private mutating func block(_ source: inout Source, from head: Lighttpd.Token) async throws {
    try source.skip(to: head) { $0.is("{") }
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw Unseen.unreadable(what: source.place(head).text, why: .init(.tooDeep)) }
    try await lines(&source, of: head)
    source.advance()
  }

  /// A block of a condition with all its `else`.
  private mutating func conditions(_ source: inout Source) async throws {
    var previous: Int?
    while let head = source.peek {
      let outer = current
      if head.is("$") {
        current = try open(try condition(&source), at: source.place(head), previous)
      } else {
        current = try open(nil, at: source.place(head), previous)
      }
      previous = current
      try await block(&source, from: head)
      current = outer
      let ahead = source.peek?.kind == .lineEnd ? source.peek(1) : source.peek
      guard ahead?.kind == .else else { return }
      try source.skip(to: head) { $0.kind == .else }
      try source.skip(to: head, isKept: true) { $0.is("$") || $0.is("{") }
    }
  }

  private mutating func open(_ condition: Lighttpd.Condition?, at place: Lighttpd.Place, _ previous: Int?) throws -> Int
  {
    let key = condition.map { condition in
      "\(current) \(condition.object)[\(condition.field)] \(condition.comparison) \(condition.value.text ?? "\(place)")"
    }
    if let key, let same = known[key] {
      guard previous == nil else {
        throw Lighttpd.Mistake(file: place.file, line: place.line, message: "unreachable else condition")
      }
      return same
    }
    if let key { known[key] = configuration.blocks.count }
    configuration.blocks.append(
      Lighttpd.Block(parent: current, previous: previous, condition: condition, place: place))
    return configuration.blocks.count - 1
  }

  /// `$HTTP["host"] == "a"`
  private mutating func condition(_ source: inout Source) throws -> Lighttpd.Condition {
    let dollar = try source.skip { $0.is("$") }
    let object = try source.skip(to: dollar) { $0.kind == .name }
    try source.skip(to: dollar) { $0.is("[") }
    let field = try expression(&source)
    try source.skip(to: dollar) { $0.is("]") }
    let comparison = try source.skip(to: dollar) { $0.kind == .comparison }
    let condition = Lighttpd.Condition(
      object: object.text, field: field.text ?? "", comparison: comparison.text, value: try expression(&source))
    guard condition.isKnown else {
      throw source.mistake("there is no condition $\(object.text)[\"\(condition.field)\"]", at: dollar)
    }
    return condition
  }

  // MARK: Settings

  private mutating func assignment(_ source: inout Source) throws {
    let head = try source.skip { $0.kind == .name }
    let name = Self.key(head.text)
    let sign = try source.skip(to: head) { ["=", ":=", "+="].contains($0.text) && $0.kind == .sign }
    let value = try expression(&source)
    guard !name.hasPrefix("env.") else {
      throw source.mistake("Setting env variable is not supported: \(name)", at: head)
    }
    let old = configuration.blocks[current].settings[name]
    switch sign.text {
    case "=" where old != nil: throw source.mistake("Duplicate config variable: \(name)", at: head)
    case "+=":
      guard let before = old ?? variable(name) else { fallthrough }
      configuration.blocks[current].settings[name] = try merged(before, value, source, at: head)
    default: configuration.blocks[current].settings[name] = value
    }
  }

  /// A name without a dot is a variable of the files.
  private static func key(_ name: String) -> String { name.contains(".") ? name : "var." + name }

  private func variable(_ name: String) -> Lighttpd.Value? {
    var block: Int? = current
    while let index = block {
      if let value = configuration.blocks[index].settings[name] { return value }
      block = configuration.blocks[index].parent
    }
    return nil
  }

  /// `value + value + …`
  private mutating func expression(_ source: inout Source) throws -> Lighttpd.Value {
    var value = try operand(&source)
    while let plus = source.peek, plus.is("+") {
      source.advance()
      value = try merged(value, try operand(&source), source, at: plus)
    }
    return value
  }

  private mutating func operand(_ source: inout Source) throws -> Lighttpd.Value {
    let token = try source.skip { [.text, .number, .name].contains($0.kind) || $0.is("(") }
    let place = source.place(token)
    try allowance.take(of: place.file)
    switch token.kind {
    case .text: return Lighttpd.Value(content: .text(token.text), span: span(token, source), place: place)
    case .number:
      guard let number = Int(token.text) else { throw source.mistake("error parsing number", at: token) }
      return Lighttpd.Value(content: .number(number), span: span(token, source), place: place)
    case .name:
      let name = Self.key(token.text)
      if name.hasPrefix("env.") {
        let text = proxy.environment(String(name.dropFirst(4)))
        return Lighttpd.Value(content: text.map { .text($0) } ?? .unknown, place: place)
      }
      guard let value = variable(name) else { throw source.mistake("Undefined config variable: \(name)", at: token) }
      try allowance.take(value.size, of: place.file)
      return value
    default: return try list(&source, from: token)
    }
  }

  private mutating func list(_ source: inout Source, from open: Lighttpd.Token) throws -> Lighttpd.Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw Unseen.unreadable(what: source.place(open).text, why: .init(.tooDeep)) }
    var elements: [Lighttpd.Element] = []
    var names: Set<String> = []
    var needsComma = false
    while let token = source.peek {
      if token.is(")") {
        source.advance()
        var value = Lighttpd.Value(content: .list(elements), place: source.place(open))
        value.end = span(token, source).map { ($0, needsComma) }
        return value
      }
      let starts = [.text, .number, .name].contains(token.kind) || token.is("(")
      guard starts, !needsComma else {
        if token.is(","), !elements.isEmpty { needsComma = false }
        source.advance()  // what does not fit is passed over
        continue
      }
      let first = try expression(&source)
      var element = Lighttpd.Element(name: nil, nameSpan: nil, value: first)
      if let arrow = source.peek, arrow.is("=>") {
        source.advance()
        element = Lighttpd.Element(name: first.text ?? "", nameSpan: first.span, value: try expression(&source))
      }
      if let name = element.name, !names.insert(name).inserted {
        throw source.mistake("duplicate array-key: \(name)", at: token)
      }
      elements.append(element)
      needsComma = true
    }
    throw source.mistake("a closing parenthesis ) is missing", at: open)
  }

  private func span(_ token: Lighttpd.Token, _ source: Source) -> Span? {
    guard token.isLiteral, let text = configuration.line(token.line, of: source.file) else { return nil }
    return Span(file: source.file, line: token.line, text: text, columns: token.columns)
  }

  private mutating func merged(
    _ left: Lighttpd.Value, _ right: Lighttpd.Value, _ source: Source, at token: Lighttpd.Token
  ) throws -> Lighttpd.Value {
    let place = source.place(token)
    switch (left.content, right.content) {
    case (.list(let own), .list(let more)):
      var elements = own
      try allowance.take(left.size + right.size, of: place.file)
      var names = Dictionary(own.compactMap { $0.name.map { ($0, 1) } }) { first, _ in first }
      for element in more {
        if let name = element.name, names.updateValue(1, forKey: name) != nil {
          let before = own.first { $0.name == name }?.value.text
          guard let before, before == element.value.text else {
            throw source.mistake("Duplicate array-key '\(name)'", at: token)
          }
          continue
        }
        elements.append(element)
      }
      var value = Lighttpd.Value(content: .list(elements), place: right.place)
      value.end = right.end
      return value
    case (.list, _), (_, .list): throw source.mistake("data type mismatch, cannot merge", at: token)
    case (.number(let own), .number(let more)):
      return Lighttpd.Value(content: .number(own.addingReportingOverflow(more).partialValue), place: place)
    default:
      guard let own = left.text, let more = right.text else { return Lighttpd.Value(content: .unknown, place: place) }
      guard own.utf8.count + more.utf8.count <= Limits.value else {
        throw Unseen.unreadable(what: place.text, why: .init(.longWord, "\(Limits.value)"))
      }
      try allowance.take(bytes: own.utf8.count + more.utf8.count, of: place.file)
      return Lighttpd.Value(content: .text(own + more), place: place)
    }
  }
}

extension Lighttpd.Value {
  /// How many values it has, for the allowance.
  fileprivate var size: Int { elements.reduce(1) { $0 + $1.value.size } }
}

/// The tokens of one file.
private struct Source {
  let file: String
  private let tokens: [Lighttpd.Token]
  private var at = 0
  /// Why there are no more.
  private let end: Lighttpd.Mistake?

  init(_ text: String, of file: String, _ allowance: inout Allowance) throws {
    self.file = file
    var (all, made, end) = (LighttpdTokens(text, file: file), [Lighttpd.Token](), Lighttpd.Mistake?.none)
    do {
      while let token = try all.next() {
        try allowance.take(of: file)
        made.append(token)
      }
      made.append(Lighttpd.Token(kind: .lineEnd, text: "", line: made.last?.line ?? 1, columns: 0..<0, isLiteral: true))
    } catch let mistake as Lighttpd.Mistake {
      end = mistake
    }
    (tokens, self.end) = (made, end)
  }

  var peek: Lighttpd.Token? { peek(0) }

  func peek(_ ahead: Int) -> Lighttpd.Token? {
    tokens.indices.contains(at + ahead) ? tokens[at + ahead] : nil
  }

  mutating func advance() { at += 1 }

  /// The next token that fits; lighttpd passes over those before it.
  @discardableResult
  mutating func skip(
    to head: Lighttpd.Token? = nil, isKept: Bool = false, _ fits: (Lighttpd.Token) -> Bool
  ) throws -> Lighttpd.Token {
    while let token = peek {
      if fits(token) {
        if !isKept { advance() }
        return token
      }
      advance()
    }
    throw mistake("what begins here has no end", at: head)
  }

  /// Throws what has cut the file short.
  func finish() throws { if let end { throw end } }

  func place(_ token: Lighttpd.Token) -> Lighttpd.Place { .init(file: file, line: token.line) }

  func mistake(_ message: String, at token: Lighttpd.Token? = nil) -> Lighttpd.Mistake {
    end ?? Lighttpd.Mistake(file: file, line: token?.line ?? tokens.last?.line ?? 1, message: message)
  }
}
