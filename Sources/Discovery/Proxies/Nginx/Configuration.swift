import Model
import Routes

extension Nginx {
  /// All files that nginx loads, as one tree.
  public struct Configuration: Sendable {
    /// From the main file; each `include` is replaced by what it includes.
    public let directives: [Directive]
    /// In the order in which nginx meets them: it stops at the first.
    public let problems: [Problem]
    /// Paths in the order of loading, each once.
    public let files: [String]
    public let unread: [GrammarFiles.Unread]
    private let texts: [String: FileText]
    let matches: Matcher
    /// The block whose servers these are.
    let kind: Kind

    let servers: [Server]
    let upstreams: [String: Directive]
    let maps: [String: Directive]
    /// `split_clients`, by the variable: it gives each visitor one of its values.
    let splits: [String: Directive]
    /// Names and ports that some `*_pass` names literally: nginx looks them up when it starts.
    let literals: [Endpoint: Directive]

    /// Reads the main file and all it includes. `prefix` is the folder of relative includes: the main file's own.
    public static func load(
      main: String, prefix: String? = nil, matches: @escaping Matcher, files: GrammarFiles
    ) async -> Configuration {
      var loader = Loader(
        prefix: prefix ?? String(main[..<(main.lastIndex(of: "/") ?? main.startIndex)]), sources: files)
      let directives = await loader.load(main, from: nil, in: .main, within: [])
      return Configuration(directives, loader, matches)
    }

    /// Which servers: those that understand HTTP, or those that pass connections on as they are.
    enum Kind: String, Sendable { case http, stream }

    /// The same files, with the servers that pass connections on as they are. Source: nginx, `ngx_stream_core_module`.
    var passingConnections: Configuration {
      Configuration(directives, problems, files, unread, texts, matches, .stream)
    }

    private init(_ directives: [Directive], _ loader: Loader, _ matches: @escaping Matcher) {
      self.init(directives, loader.problems, loader.files, loader.unread, loader.texts, matches, .http)
    }

    private init(
      _ directives: [Directive], _ problems: [Problem], _ files: [String], _ unread: [GrammarFiles.Unread],
      _ texts: [String: FileText], _ matches: @escaping Matcher, _ kind: Kind
    ) {
      self.directives = directives
      self.matches = matches
      self.kind = kind
      (self.files, self.unread, self.texts) = (files, unread, texts)
      let http = directives.first(kind.rawValue)?.block ?? []
      let settings = http.filter { !["server", "upstream", "map", "split_clients"].contains($0.name) }
      servers = http.all("server").map { Server($0, http: settings) }
      upstreams = http.all("upstream").reduce(into: [:]) { groups, group in
        if let name = group.text(0)?.lowercased(), groups[name] == nil { groups[name] = group }
      }
      maps = Self.byVariable(http.all("map"))
      splits = Self.byVariable(http.all("split_clients"))
      literals = Endpoint.literals(in: http)
      self.problems = kind == .http ? problems + Self.conflicts(of: servers, upstreams, in: http) : problems
    }

    /// Blocks whose second argument is the variable that they define; of several the last counts.
    private static func byVariable(_ blocks: [Directive]) -> [String: Directive] {
      blocks.reduce(into: [:]) { found, block in
        if let name = block.text(1) { found[String(name.drop { $0 == "$" })] = block }
      }
    }

    /// The text of a line, from 1, without its end.
    public func line(_ number: Int, of file: String) -> String? { texts[file]?.line(number) }

    /// The place of a directive's argument; nil if it has none of its own.
    func span(_ directive: Directive, _ index: Int = 0) -> Span? {
      guard directive.arguments.indices.contains(index) else { return nil }
      return span(Traced(directive.arguments[index], in: directive.file))
    }

    /// The one place that all of `value` comes from; nil if there is none.
    func span(_ value: Traced) -> Span? {
      guard let place = value.place else { return nil }
      return span(
        file: place.file, line: place.line, columns: place.column..<place.column + value.bytes.count)
    }

    /// The place right behind `value`, where something may be inserted after `inserting`.
    func span(behind value: Traced, inserting: String) -> Span? {
      guard let place = value.place else { return nil }
      let end = place.column + value.bytes.count
      return span(file: place.file, line: place.line, columns: end..<end, inserting: inserting)
    }

    private func span(file: String, line: Int, columns: Range<Int>, inserting: String = "") -> Span? {
      guard let text = self.line(line, of: file) else { return nil }
      let bytes = Array(text.utf8)
      guard columns.upperBound <= bytes.count else { return nil }
      return Span(
        file: file, line: line, text: text,
        head: String(decoding: bytes[..<columns.lowerBound], as: UTF8.self) + inserting,
        tail: String(decoding: bytes[columns.upperBound...], as: UTF8.self))
    }
  }
}

/// Loads files and follows includes.
private struct Loader {
  private static let deepest = 32

  let prefix: String
  let sources: GrammarFiles
  var problems: [Nginx.Problem] = []
  var files: [String] = []
  var unread: [GrammarFiles.Unread] = []
  var texts: [String: FileText] = [:]
  private var includes = 0
  private var allowance = Allowance()

  init(prefix: String, sources: GrammarFiles) { (self.prefix, self.sources) = (prefix, sources) }

  /// The directives of a file; `within` are the files that include it.
  mutating func load(
    _ path: String, from include: Nginx.Directive?, in context: Nginx.Context?, within: [String]
  ) async -> [Nginx.Directive] {
    func note(_ message: String, deadLink: String? = nil) {
      var problem = Nginx.Problem(file: include?.file ?? path, line: include?.lastLine ?? 1, message: message)
      problem.deadLink = deadLink
      problems.append(problem)
    }
    includes += 1
    guard includes <= Limits.includes else {
      unread.append(
        .init(path: path, error: Unseen.unreadable(what: path, why: .init(.tooManyFiles, "\(Limits.includes)"))))
      return []
    }
    guard !within.contains(path), within.count < Self.deepest else {
      note("open() \"\(path)\" failed: includes go round in a circle or too deep")
      return []
    }
    do {
      guard let text = try await text(of: path) else {
        // What a pattern finds is there: a link, then, to a file that is not.
        let isFound = include?.text(0)?.contains(where: { "*?[".contains($0) }) == true
        note("open() \"\(path)\" failed (2: No such file or directory)", deadLink: isFound ? path : nil)
        return []
      }
      let parsed = try Nginx.parse(text, file: path, &allowance)
      var pending = parsed.problems.first
      let directives = await expand(parsed.directives, in: context, within: within + [path], until: &pending)
      if let pending { problems.append(pending) }
      return directives
    } catch {
      unread.append(GrammarFiles.Unread(path: path, error: error))
      return []
    }
  }

  /// A file's text, read once; nil if there is none.
  private mutating func text(of path: String) async throws -> String? {
    if let known = texts[path] { return known.text }
    guard let text = try await sources.read(path) else { return nil }
    files.append(path)
    texts[path] = FileText(text)
    return text
  }

  /// Checks directives and puts files in the place of includes. `pending` is the file's own problem, which
  /// nginx meets before everything on later lines.
  private mutating func expand(
    _ directives: [Nginx.Directive], in context: Nginx.Context?, within: [String],
    until pending: inout Nginx.Problem?
  ) async -> [Nginx.Directive] {
    var result: [Nginx.Directive] = []
    var seen: Set<String> = []
    for var directive in directives {
      if let problem = pending, problem.line <= directive.lastLine {
        problems.append(problem)
        pending = nil
      }
      if let context, let problem = Nginx.problem(of: directive, in: context, beside: &seen) {
        problems.append(problem)
      }
      if directive.name == "include", directive.block == nil, let pattern = directive.text(0) {
        for path in await paths(pattern) {
          result += await load(path, from: directive, in: context, within: within)
        }
      } else {
        if let block = directive.block {
          directive.block = await expand(
            block, in: context?.inside(directive), within: within, until: &pending)
          if context == .http, directive.name == "upstream", let problem = Nginx.problem(ofGroup: directive) {
            problems.append(problem)
          }
        }
        result.append(directive)
      }
    }
    return result
  }

  private mutating func paths(_ pattern: String) async -> [String] {
    let pattern = pattern.hasPrefix("/") ? pattern : "\(prefix)/\(pattern)"
    guard pattern.contains(where: { "*?[".contains($0) }) else { return [pattern] }
    do { return try await sources.glob(pattern).sorted() } catch {
      unread.append(GrammarFiles.Unread(path: pattern, error: error))
      return []
    }
  }
}
