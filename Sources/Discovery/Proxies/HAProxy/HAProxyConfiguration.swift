import Model
import Routes

extension HAProxy {
  /// Every section of every file, in the order in which HAProxy reads them.
  struct Configuration: Sendable {
    private(set) var sections: [Section] = []
    private(set) var files: [String] = []
    private(set) var problems: [Problem] = []
    /// Lists and maps that the rules name, by their paths.
    var lists: [String: List] = [:]
    /// Those of them that are not there.
    var missingLists: Set<String> = []
    /// Files whose last line has no end, which HAProxy refuses since 2.3.
    private(set) var unended: [String] = []
    private var texts: [String: FileText] = [:]
    /// The first backend of each name, as an index of `sections`.
    private var backends: [String: Int] = [:]
    /// Sections that take connections, as indices of `sections`.
    private var listening: [Int] = []
    private var allowance = Allowance()
    /// The last `defaults` section, as an index of `sections`.
    private var defaults: Int?
    /// The last one of each name.
    private var namedDefaults: [String: Int] = [:]
    /// The names of the sections of each kind.
    private var names: [String: Set<String>] = [:]
    /// The names of the sections with a stick table.
    private(set) var tables: Set<String> = []
    /// Variables that some rule sets.
    private var variables: Set<String> = []
    /// Open `.if` of the file that is being read.
    private var conditions = 0

    mutating func add(_ text: String, of file: String) throws(Unseen) {
      files.append(file)
      texts[file] = FileText(text)
      conditions = 0
      let first = max(0, sections.count - 1)
      var number = 0
      var rest = text.utf8[...]
      while true {
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        number += 1
        guard line.count <= Limits.line else {
          throw .unreadable(what: file, why: .init(.longLine, "\(number)"))
        }
        let words = Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        if !words.isEmpty { try add(String(words), number, file) }
        guard line.endIndex < rest.endIndex else { break }
        rest = rest[rest.index(after: line.endIndex)...]
      }
      if !text.utf8.isEmpty, text.utf8.last != UInt8(ascii: "\n") { unended.append(file) }
      for index in sections.indices.dropFirst(first) { sections[index].sortRules() }
    }

    private mutating func add(_ line: String, _ number: Int, _ file: String) throws(Unseen) {
      guard case .success(let words) = HAProxy.words(of: line) else {
        problems.append(Problem(file: file, line: number, text: line, message: "a quote is not closed"))
        return
      }
      guard let first = words.first?.text else { return }
      try allowance.take(1 + words.count / Limits.wordsOfNode, of: file)
      switch first {
      case ".if": conditions += 1
      case ".endif": conditions -= 1
      case _ where first.hasPrefix("."): break
      default:
        let directive = Directive(words: words, file: file, line: number, text: line, mayHold: conditions > 0)
        if HAProxy.sectionNames.contains(first) {
          open(directive)
        } else if sections.isEmpty {
          problems.append(
            Problem(file: file, line: number, text: line, message: "unknown keyword '\(first)' out of section"))
        } else {
          if first == "stick-table" { tables.insert(sections[sections.count - 1].name) }
          for word in directive.arguments { word.variableSet.map { _ = variables.insert($0) } }
          sections[sections.count - 1].add(directive)
        }
      }
    }

    private mutating func open(_ head: Directive) {
      var section = Section(head: head)
      let words = head.arguments
      if let from = words.firstIndex(of: "from"), words.indices.contains(from + 1) {
        section.defaults = namedDefaults[words[from + 1]]
      } else if ["frontend", "backend", "listen"].contains(head.name) {
        section.defaults = defaults
      }
      if ["backend", "listen"].contains(section.kind), backends[section.name] == nil {
        backends[section.name] = sections.count
      }
      if ["frontend", "listen"].contains(section.kind) { listening.append(sections.count) }
      if section.kind == "defaults" { (defaults, namedDefaults[section.name]) = (sections.count, sections.count) }
      names[section.kind, default: []].insert(section.name)
      sections.append(section)
    }

    func line(_ number: Int, of file: String) -> String? { texts[file]?.line(number) }

    /// The section, then the `defaults` that it inherits from, the nearest first.
    func scopes(of section: Section) -> [Section] {
      var scopes = [section]
      // A section only inherits from one before it, so this ends; nobody has as many as this.
      while scopes.count < 32, let above = scopes.last?.defaults { scopes.append(sections[above]) }
      return scopes
    }

    /// The line in effect that begins with these words; within one section the last one.
    func setting(_ words: String..., of section: Section) -> Directive? {
      for scope in scopes(of: section) {
        if let last = scope.last(words) { return last }
      }
      return nil
    }

    /// `http` or `tcp`, which is HAProxy's own default.
    func mode(of section: Section) -> String { setting("mode", of: section)?.arguments.first ?? "tcp" }

    func global(_ words: String...) -> Directive? {
      sections.lazy.filter { $0.kind == "global" }.compactMap { $0.last(words) }.last
    }

    /// Sections that take connections.
    var frontends: [Section] { listening.map { sections[$0] } }

    /// Scripts may set any.
    func setsVariable(_ name: String) -> Bool {
      variables.contains(name) || global("lua-load") != nil || global("lua-load-per-thread") != nil
    }

    func has(_ kind: String, named name: String) -> Bool { names[kind]?.contains(name) == true }

    func hasDefaults(_ name: String) -> Bool { namedDefaults[name] != nil }

    func backend(_ name: String) -> Section? { backends[name].map { sections[$0] } }

    /// Paths of lists (`-f`) and maps that the rules name.
    var namedLists: [String] {
      sections.flatMap { $0.directives.flatMap(\.namedLists) }
    }
  }
}

extension HAProxy {
  /// A list (`-f`) or a map, which has a value behind each key.
  struct List: Sendable {
    /// Without comments.
    let lines: [String]
    private let path: String
    private let text: FileText

    init(_ text: String, of path: String) {
      self.path = path
      self.text = FileText(text)
      lines = text.lines.map { String($0).trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    /// The keys that may be names of sites, with their places.
    var names: [(name: String, place: Span?)] {
      (1...text.lineCount).compactMap { number in
        guard let line = text.line(number) else { return nil }
        let bytes = line.utf8
        let blanks = bytes.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        let key = line.dropFirst(blanks).prefix { $0 != " " && $0 != "\t" }
        guard key.contains("."), !key.hasPrefix("."),
          key.allSatisfy({ $0.isLetter || $0.isNumber || ".-".contains($0) })
        else { return nil }
        return (
          key.lowercased(),
          Span(file: path, line: number, text: line, columns: blanks..<blanks + key.utf8.count)
        )
      }
    }
  }
}

extension HAProxy.Directive {
  /// Paths of the lists (`-f`) and maps that it names.
  var namedLists: [String] {
    let texts = words.map(\.text)
    var paths = zip(texts, texts.dropFirst()).filter { $0.0 == "-f" }.map(\.1)
    for word in texts where word.utf8.contains(UInt8(ascii: "(")) {
      for call in HAProxy.Expression(word).calls where call.name.hasPrefix("map") {
        if let path = call.arguments.first { paths.append(path) }
      }
    }
    return paths
  }
}
