import Model
import Routes

extension Apache {
  /// All files that httpd loads, as one tree: conditions judged, files in the place of `Include`, variables replaced.
  public struct Configuration: Sendable {
    /// How httpd was started, and what it was built with.
    public struct Start: Sendable {
      public var main: String
      /// The folder of relative paths, until `ServerRoot` names another.
      public var root: String
      /// Names that are defined by `-D`.
      public var defined: Set<String> = []
      public var environment: [String: String] = [:]
      public init(main: String, root: String) { (self.main, self.root) = (main, root) }
    }

    /// An `<IfModule>` or `<IfDefine>` that does not hold stays in the tree as it is.
    public let directives: [Directive]
    /// In the order in which httpd meets them: it stops at the first.
    public let problems: [Problem]
    /// Paths in the order of loading, each once.
    public let files: [String]
    public let unread: [GrammarFiles.Unread]
    /// Loaded modules by name (`proxy_module`), those that are built in included.
    public let modules: Set<String>
    /// False if a file could not be read, or httpd has all its modules built in.
    let knowsModules: Bool
    /// Variables that are neither defined nor in the environment.
    public let undefined: Set<String>
    public let root: String
    /// All that stands outside of virtual hosts.
    let main: Server
    /// Its lines that have to do with the way of a request: every request of every host meets them.
    let mainLines: [Directive]
    let hosts: Hosts
    let patterns = Patterns()
    private var texts: [String: FileText]
    /// By their folders: what stands in files that httpd reads at each request; nil for one that could not be read.
    private(set) var overrides: [String: Apache.Directive?] = [:]
    private let loader: Loader
    /// Debian's `sites-enabled/x.conf` is a link to `sites-available/x.conf`, which is the one to edit.
    private let originals: [String: String]

    public static func load(_ start: Start, files: GrammarFiles) async -> Configuration {
      var loader = Loader(start, sources: files)
      let directives = await loader.load(start.main, from: nil, within: [])
      return Configuration(directives, loader)
    }

    private init(_ directives: [Directive], _ loader: Loader) {
      self.directives = directives
      main = Server(directives.filter { $0.key != "virtualhost" }, section: nil)
      mainLines = main.lines
      hosts = Hosts(directives.all("virtualhost").map { Server($0.block ?? [], section: $0) })
      knowsModules = loader.unread.isEmpty && directives.contains { $0.key == "loadmodule" }
      problems =
        loader.problems + (knowsModules ? Apache.invalidCommands(in: directives, loader.modules).prefix(1) : [])
      (files, unread, texts, originals) = (loader.files, loader.unread, loader.texts, loader.originals)
      (modules, undefined, root) = (loader.modules, loader.undefined, loader.root)
      self.loader = loader
    }

    /// Reads the file with which a folder overrides the configuration, if there is one.
    mutating func override(_ folder: String, file: String) async {
      var loader = loader
      do {
        guard let text = try await loader.text(of: file) else { return }
        let directives = try await loader.expand(try Apache.parse(text, file: file).directives, within: [file])
        texts = loader.texts
        overrides[folder] = Directive(
          name: "Directory", arguments: [Traced(folder)], block: directives, file: file, line: 1)
      } catch {
        overrides[folder] = .some(nil)
      }
    }

    /// The file that a person edits.
    public func original(of file: String) -> String { originals[file] ?? file }

    /// The text of a line, from 1, without its end.
    public func line(_ number: Int, of file: String) -> String? { texts[file]?.line(number) }

    /// The one place that all of `value` comes from; nil if there is none.
    func span(_ value: Traced?) -> Span? {
      guard let value, let place = value.place else { return nil }
      return span(place.file, place.line, place.column..<place.column + value.bytes.count)
    }

    /// The place right behind `value`, where something may be inserted after `inserting`.
    func span(behind value: Traced, inserting: String) -> Span? {
      guard let place = value.place else { return nil }
      let end = place.column + value.bytes.count
      return span(place.file, place.line, end..<end, inserting: inserting)
    }

    /// The end of a directive's line, where a parameter may be added after `inserting`.
    func end(of directive: Directive, inserting: String) -> Span? {
      guard let text = line(directive.line, of: directive.file) else { return nil }
      let end = text.utf8.count
      return span(directive.file, directive.line, end..<end, inserting: inserting)
    }

    private func span(_ file: String, _ line: Int, _ columns: Range<Int>, inserting: String = "") -> Span? {
      guard let text = self.line(line, of: file),
        let span = Span(file: original(of: file), line: line, text: text, columns: columns)
      else { return nil }
      return Span(file: span.file, line: line, text: text, head: span.head + inserting, tail: span.tail)
    }

    /// A whole line.
    func span(line: Int, of file: String) -> Span? {
      self.line(line, of: file).flatMap { span(file, line, $0.utf8.count..<$0.utf8.count) }
    }

    /// The line of a commented `LoadModule`, and the line without its `#`.
    func commentedLoad(of module: String) -> (span: Span, fixed: String)? {
      for file in files {
        guard let lines = texts[file]?.text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        else { continue }
        for (index, line) in lines.enumerated() where line.first == UInt8(ascii: "#") {
          let words = Substring(line).dropFirst().split { $0 == " " || $0 == "\r" }
          guard words.count == 3, words[0] == "LoadModule", words[1] == module else { continue }
          return span(line: index + 1, of: file).map { ($0, String($0.text.dropFirst().drop { $0 == " " })) }
        }
      }
      return nil
    }
  }
}

/// Loads files, follows includes and judges conditions, in the order of the text.
private struct Loader {
  private static let deepest = 32

  let sources: GrammarFiles
  var root: String
  var problems: [Apache.Problem] = []
  var files: [String] = []
  var unread: [GrammarFiles.Unread] = []
  var texts: [String: FileText] = [:]
  var originals: [String: String] = [:]
  var modules = Apache.builtIn
  var undefined: Set<String> = []
  private var defined: Set<String>
  private var values: [String: Traced] = [:]
  private let environment: [String: String]
  private var includes = 0
  /// By their names in lower case.
  private var macros: [String: Apache.Directive] = [:]
  /// Macros that are being filled in, the innermost at the end.
  private var inUse: [String] = []
  private var allowance = Allowance()

  init(_ start: Apache.Configuration.Start, sources: GrammarFiles) {
    (self.sources, root, defined) = (sources, start.root, start.defined)
    environment = start.environment
  }

  /// The directives of a file; `within` are the files that include it.
  mutating func load(
    _ path: String, from include: Apache.Directive?, within: [String]
  ) async -> [Apache.Directive] {
    includes += 1
    guard includes <= Limits.includes else {
      unread.append(
        .init(path: path, error: Unseen.unreadable(what: path, why: .init(.tooManyFiles, "\(Limits.includes)"))))
      return []
    }
    guard !within.contains(path), within.count < Self.deepest else {
      note("Exceeded the maximum include directory nesting level. You have probably a recursion somewhere.", include)
      return []
    }
    do {
      guard let text = try await text(of: path) else {
        note("Could not open configuration file \(path): No such file or directory", include)
        return []
      }
      let parsed = try Apache.parse(text, file: path, &allowance)
      let directives = try await expand(parsed.directives, within: within + [path])
      if let problem = parsed.problem { problems.append(problem) }
      return directives
    } catch {
      unread.append(.init(path: path, error: error))
      return []
    }
  }

  /// A file's text, read once; nil if there is none.
  mutating func text(of path: String) async throws -> String? {
    if let known = texts[path] { return known.text }
    guard let text = try await sources.read(path) else { return nil }
    files.append(path)
    texts[path] = FileText(text)
    let available = path.replacing("-enabled/", with: "-available/")
    if available != path, let other = try? await sources.read(available), other == text { originals[path] = available }
    return text
  }

  private mutating func note(_ message: String, _ directive: Apache.Directive?) {
    problems.append(Apache.Problem(file: directive?.file ?? "", line: directive?.line ?? 1, message: message))
  }

  mutating func expand(
    _ directives: [Apache.Directive], within: [String]
  ) async throws(Unseen) -> [Apache.Directive] {
    var result: [Apache.Directive] = []
    for var directive in directives {
      if modules.contains("mod_macro.c"), directive.key == "macro", directive.block != nil {
        define(directive)
        continue
      }
      for index in directive.arguments.indices { try substitute(&directive.arguments[index], in: directive.file) }
      let words = directive.arguments.map(\.text)
      switch (directive.key, directive.block) {
      case ("include", nil), ("includeoptional", nil):
        for path in await paths(of: directive) { result += await load(path, from: directive, within: within) }
      case ("define", nil):
        guard let name = words.first else { continue }
        defined.insert(name)
        values[name] = directive.arguments.count > 1 ? directive.arguments[1] : Traced("")
      case ("undefine", nil):
        guard let name = words.first else { continue }
        defined.remove(name)
        values[name] = nil
      case ("serverroot", nil):
        root = words.first.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? root
        result.append(directive)
      case ("loadmodule", nil):
        if let name = words.first { modules.formUnion(Apache.names(of: name, in: words.count > 1 ? words[1] : "")) }
        result.append(directive)
      case ("use", nil) where modules.contains("mod_macro.c"):
        result += try await use(directive, within: within)
      case ("undefmacro", nil) where modules.contains("mod_macro.c"):
        if macros.removeValue(forKey: (words.first ?? "").lowercased()) == nil {
          note(unknownMacro(directive), directive)
        }
      case (_, let block?):
        let holds = await holds(directive)
        if holds == false, directive.isOpen {
          note("Expected </\(directive.name)> before end of configuration", directive)
        } else if holds == false {
          result.append(directive)
        } else if holds == true {
          result += try await expand(block, within: within)
        } else {
          directive.block = try await expand(block, within: within)
          result.append(directive)
        }
      case ("error", nil): note(words.joined(separator: " "), directive)
      case ("proxypass", nil), ("proxypassmatch", nil):
        // Within a section its path is missing.
        let parameters = words.dropFirst(words.first.map { $0 == "!" || $0.contains("://") } == true ? 1 : 2)
        if parameters.contains(where: { !$0.contains("=") && !Apache.wordsOfPass.contains($0.lowercased()) }) {
          note("Invalid ProxyPass|ProxyPassMatch parameter. Parameter must be in the form 'key=value'.", directive)
        }
        result.append(directive)
      default: result.append(directive)
      }
    }
    return result
  }

  /// `<Macro name parameter…>`: a later one of the same name takes its place.
  private mutating func define(_ macro: Apache.Directive) {
    guard let name = macro.text(0) else { return note("<Macro macro definition: empty name", macro) }
    let parameters = macro.arguments.dropFirst().map(\.text)
    if let twice = parameters.first(where: { name in parameters.count { $0 == name } > 1 }) {
      note("argument name conflict in macro '\(name.lowercased())': argument '\(twice)'", macro)
    }
    macros[name.lowercased()] = macro
  }

  private func unknownMacro(_ directive: Apache.Directive) -> String {
    macros.isEmpty
      ? "no macro defined before \(directive.name)" : "macro '\(directive.text(0) ?? "")' undefined"
  }

  /// What a macro has, with the values of `Use` in the place of its parameters.
  private mutating func use(
    _ use: Apache.Directive, within: [String]
  ) async throws(Unseen) -> [Apache.Directive] {
    let name = (use.text(0) ?? "").lowercased()
    guard let macro = macros[name] else {
      note(unknownMacro(use), use)
      return []
    }
    let (parameters, values) = (macro.arguments.dropFirst(), use.arguments.dropFirst())
    guard parameters.count == values.count else {
      note("macro '\(name)' used with \(values.count) arguments instead of \(parameters.count)", use)
      return []
    }
    guard !inUse.contains(name) else {
      note("recursive use of macro '\(name)' is invalid", use)
      return []
    }
    inUse.append(name)
    defer { inUse.removeLast() }
    // Where several begin alike, the longest one counts.
    let pairs = zip(parameters.map { $0.bytes }, values).filter { !$0.0.isEmpty }.sorted { $0.0.count > $1.0.count }
    return try await expand(try filled(macro.block ?? [], pairs), within: within)
  }

  private mutating func filled(
    _ directives: [Apache.Directive], _ pairs: [([UInt8], Traced)]
  ) throws(Unseen) -> [Apache.Directive] {
    var result: [Apache.Directive] = []
    for directive in directives {
      try allowance.take(of: directive.file)
      let name = try filled(Traced(directive.name), pairs, of: directive.file).text
      var words: [Traced] = []
      for word in directive.arguments { words.append(try filled(word, pairs, of: directive.file)) }
      var block: [Apache.Directive]?
      if let inner = directive.block { block = try filled(inner, pairs) }
      result.append(
        Apache.Directive(name: name, arguments: words, block: block, file: directive.file, line: directive.line))
    }
    return result
  }

  private mutating func filled(
    _ word: Traced, _ pairs: [([UInt8], Traced)], of file: String
  ) throws(Unseen) -> Traced {
    let bytes = word.bytes
    var result = Traced("")
    var (index, start) = (0, 0)
    while index < bytes.count {
      guard let (parameter, value) = pairs.first(where: { bytes[index...].starts(with: $0.0) }) else {
        index += 1
        continue
      }
      guard result.bytes.count + value.bytes.count <= Limits.value else {
        throw .unreadable(what: file, why: .init(.longWord, "\(Limits.value)"))
      }
      try allowance.take(bytes: value.bytes.count, of: file)
      result += word[start..<index]
      result += value
      index += parameter.count
      start = index
    }
    result += word[start..<bytes.count]
    return result
  }

  /// Whether a condition that is judged while reading holds; nil for any other section.
  private func holds(_ section: Apache.Directive) async -> Bool? {
    let words = section.arguments.map(\.text)
    let (isNegated, name) = (words.first?.hasPrefix("!") == true, String((words.first ?? "").drop { $0 == "!" }))
    switch section.key {
    case "ifmodule": return modules.contains(name) != isNegated
    case "ifdefine": return defined.contains(name) != isNegated
    case "iffile":
      let isThere = (try? await sources.read(absolute(name))) ?? nil
      return (isThere != nil) != isNegated
    case "ifversion": return Apache.versionHolds(words)
    // Whether httpd knows a directive or section of that name: what stands there was written for it.
    case "ifdirective", "ifsection": return !isNegated
    default: return nil
    }
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }

  /// The files that an `Include` names, in httpd's order: sorted, with all files of a folder.
  private mutating func paths(of include: Apache.Directive) async -> [String] {
    guard let pattern = include.text(0).map(absolute) else { return [] }
    do {
      let isPattern = pattern.contains { "*?[".contains($0) }
      let found = isPattern ? try await sources.glob(pattern).sorted() : [pattern]
      if found.isEmpty, include.key == "include" {
        note("No matches for the wildcard '\(pattern)', failing (use IncludeOptional if required)", include)
      }
      var files: [String] = []
      for path in found {
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        let inside = try await sources.glob(folder + "/*").sorted()
        if !inside.isEmpty {
          files += inside
        } else if try await isThere(path, include) {
          files.append(path)
        }
      }
      return files
    } catch {
      unread.append(.init(path: pattern, error: error))
      return []
    }
  }

  /// False for a file that may be missing and is.
  private func isThere(_ path: String, _ include: Apache.Directive) async throws -> Bool {
    if include.key == "include" { return true }
    return try await sources.read(path) != nil
  }

  /// `${NAME}` replaced by what `Define` says or the environment has. What has no value stays as it is.
  private mutating func substitute(_ word: inout Traced, in file: String) throws(Unseen) {
    let bytes = word.bytes
    guard bytes.contains(UInt8(ascii: "$")) else { return }
    var result = Traced("")
    var index = 0
    while index < bytes.count {
      guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else {
        result += word[index..<bytes.count]
        break
      }
      guard bytes[index...].starts(with: "${".utf8) else {
        let next = bytes[(index + 1)...].firstIndex(of: UInt8(ascii: "$")) ?? bytes.count
        result += word[index..<next]
        index = next
        continue
      }
      let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
      if let value = values[name] ?? environment[name].map({ Traced($0) }) {
        guard result.bytes.count + value.bytes.count <= Limits.value else {
          throw .unreadable(what: file, why: .init(.longWord, "\(Limits.value)"))
        }
        try allowance.take(bytes: value.bytes.count, of: file)
        result += value
      } else {
        // `${map:key}` is one of mod_rewrite's maps.
        if !name.contains(":") { undefined.insert(name) }
        result += word[index..<end + 1]
      }
      index = end + 1
    }
    word = result
  }
}

extension Apache {
  /// Parameters of `ProxyPass` that have no value.
  fileprivate static let wordsOfPass: Set<String> = ["nocanon", "interpolate", "noquery"]

  /// What every httpd of Debian has built in; elsewhere these are loaded by everyone.
  static let builtIn: Set<String> = {
    let names = ["core", "so", "watchdog", "http", "log_config", "logio", "version", "unixd"]
    return names.reduce(into: ["core.c", "http_core.c"]) { $0.formUnion(Apache.names(of: "\($1)_module", in: "")) }
  }()

  /// The names by which `<IfModule>` knows a module: its own and its source file's.
  static func names(of module: String, in path: String) -> [String] {
    let short = module.hasSuffix("_module") ? String(module.dropLast(7)) : module
    let file = path.split(separator: "/").last.map { "\($0.prefix { $0 != "." }).c" }
    let sources = short.hasPrefix("mpm_") ? ["\(short.dropFirst(4)).c"] : ["mod_\(short).c"]
    return [module] + sources + [file].compactMap(\.self)
  }

  /// `>= 2.4`: judged for a 2.4 of today. Regular expressions are taken to hold.
  static func versionHolds(_ words: [String]) -> Bool {
    let mine = [2, 4, 60]
    let sign = words.count > 1 ? words[0] : "="
    let asked = (words.last ?? "").split(separator: ".").compactMap { Int($0) }
    guard !asked.isEmpty else { return true }
    let part = Array(mine.prefix(asked.count))
    let isBefore = part.lexicographicallyPrecedes(asked)
    let holds: Bool =
      switch sign.drop(while: { $0 == "!" }) {
      case ">": asked.lexicographicallyPrecedes(part)
      case ">=": !isBefore
      case "<": isBefore
      case "<=": !asked.lexicographicallyPrecedes(part)
      case "~": true
      default: part == asked
      }
    return holds != sign.hasPrefix("!")
  }
}
