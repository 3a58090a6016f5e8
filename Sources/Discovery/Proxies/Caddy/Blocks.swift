import Model
import Routes

extension Caddyfile {
  /// One directive: its name, its arguments, and the block behind them.
  struct Directive: Sendable {
    var name: Token
    var arguments: [Token]
    /// Nil without braces.
    let block: [Directive]?
    /// The brace that opens the block.
    let brace: Token?

    func first(_ name: String) -> Directive? { block?.first { $0.name.text == name } }
  }

  /// What stands behind one or several addresses; without any: global options.
  struct Site: Sendable {
    let keys: [Token]
    let directives: [Directive]
    /// The name of a route for `invoke`.
    let routeName: String?
  }

  /// Files read so far, and what they say.
  struct Blocks: Sendable {
    private(set) var sites: [Site] = []
    private(set) var problem: Problem?
    /// The lines of every file, in the order of reading.
    private(set) var files: [(path: String, text: FileText)] = []

    /// Reads the file and those it imports. What stands before a mistake is kept.
    ///
    /// `read` gives a file's text, nil if there is none; `glob` the files that match a pattern.
    static func read(
      _ path: String, text: String, environment: Environment?, files: Imports
    ) async -> Blocks {
      var parser = Parser(environment: environment, imports: files)
      await parser.run(path, text)
      return parser.blocks
    }

    fileprivate mutating func add(_ site: Site) { sites.append(site) }
    fileprivate mutating func fail(_ found: Problem) { problem = problem ?? found }
    fileprivate mutating func note(_ path: String, _ text: String) {
      guard !files.contains(where: { $0.path == path }) else { return }
      files.append((path, FileText(text)))
    }

    func line(_ number: Int, of path: String) -> String? {
      files.first { $0.path == path }?.text.line(number)
    }

    /// The place of a part of a word (UTF-8 offsets), or of all of it.
    func span(_ token: Token, _ part: Range<Int>? = nil) -> Span? {
      let (file, number) = token.filledBy.map { ($0.file, $0.number) } ?? (token.file, token.line)
      guard let text = line(number, of: file) else { return nil }
      guard let columns = token.columns else {
        guard let part, let first = part.first, part.upperBound <= token.scattered.count,
          let column = token.scattered[first],
          part.allSatisfy({ token.scattered[$0] == column + $0 - first })
        else { return nil }
        return Span(file: file, line: number, text: text, columns: column..<column + part.count)
      }
      let part = part ?? 0..<columns.count
      return Span(
        file: file, line: number, text: text,
        columns: (columns.lowerBound + part.lowerBound)..<(columns.lowerBound + part.upperBound))
    }
  }

  /// How imported files are found.
  struct Imports: Sendable {
    let read: @Sendable (String) async -> String?
    let glob: @Sendable (String) async -> [String]
  }
}

extension Caddyfile {
  /// Groups the words of files into sites and directives, as Caddy's own parser does.
  fileprivate struct Parser {
    let environment: Environment?
    let imports: Imports
    private(set) var blocks = Blocks()
    /// The words that are still to come, the next one last: what is imported goes on top of them.
    private var rest: [Token] = []
    private var previous: Token?
    private var snippets: [String: [Token]] = [:]
    /// The snippet of each import; nil if it is of files.
    private var importedSnippets: [String?] = []
    /// Which snippets and files import which others.
    private var importing: [String: Set<String>] = [:]
    private var depth = 0
    private var allowance = Allowance()
    private static let deepest = 100

    init(environment: Environment?, imports: Imports) {
      (self.environment, self.imports) = (environment, imports)
    }

    mutating func run(_ path: String, _ text: String) async {
      blocks.note(path, text)
      do throws(Problem) {
        rest = try Caddyfile.tokens(text, of: path, environment: environment, &allowance).reversed()
        while !rest.isEmpty { try await site() }
      } catch { blocks.fail(error) }
    }

    private var token: Token? { rest.last }

    private mutating func advance() {
      previous = rest.popLast()
    }

    private var isOnNewLine: Bool {
      guard let previous, let token else { return true }
      return token.isOnNewLine(after: previous)
    }

    private func problem(_ message: String, at token: Token? = nil) -> Problem {
      let token = token ?? rest.first ?? previous
      return Problem(message: message, file: token?.file ?? "", line: token?.line ?? 1)
    }

    private mutating func site() async throws(Problem) {
      var keys: [Token] = []
      var expectsAnother = false
      while let token {
        if token.text == "import", isOnNewLine, keys.isEmpty || expectsAnother {
          try await importHere()
          continue
        }
        if token.closes { throw problem("a closing brace } without an opening one", at: token) }
        if token.opens {
          if expectsAnother { throw problem("a site's address is missing after a comma", at: token) }
          break
        }
        if !keys.isEmpty, !expectsAnother, isOnNewLine { break }
        if token.text.hasPrefix("@"), !token.isQuoted {
          throw problem("a matcher (\(token.text)) stands outside of a site", at: token)
        }
        if token.text.hasSuffix("{"), !token.isQuoted {
          throw problem("a blank is missing before the brace of \(token.text)", at: token)
        }
        var key = token
        expectsAnother = key.text.hasSuffix(",")
        if expectsAnother {
          key.text.removeLast()
          key.columns = key.columns.map { $0.lowerBound..<$0.upperBound - 1 }
        }
        if key.text.contains(",") { throw problem("a blank is missing after a comma of \(token.text)", at: token) }
        if !key.text.isEmpty { keys.append(key) }
        advance()
      }
      if expectsAnother { throw problem("unexpected end of the file") }
      // Imports may have brought nothing.
      guard token != nil || !keys.isEmpty else { return }
      let only = keys.count == 1 ? keys[0].text : ""
      if only.hasPrefix("("), only.hasSuffix(")") {
        let name = String(only.dropFirst().dropLast())
        guard snippets[name] == nil else { throw problem("the snippet \(name) is there twice", at: keys[0]) }
        snippets[name] = try block()
        return
      }
      let name = only.hasPrefix("&(") && only.hasSuffix(")") ? String(only.dropFirst(2).dropLast()) : nil
      let hasBraces = token?.opens == true
      if hasBraces { advance() }
      let (directives, mistake) = await contents(closed: hasBraces, isSite: true)
      blocks.add(Site(keys: keys, directives: directives, routeName: name))
      if let mistake { throw mistake }
    }

    /// The words of a block from its opening brace on, without the braces.
    private mutating func block() throws(Problem) -> [Token] {
      guard let brace = token, brace.opens else { throw problem("a brace { is missing", at: token) }
      var words: [Token] = []
      var depth = 0
      while let token {
        if token.opens { depth += 1 }
        if token.closes { depth -= 1 }
        advance()
        if depth == 0 { return Array(words.dropFirst()) }
        words.append(token)
      }
      throw problem("a closing brace } is missing: unexpected end of the file")
    }

    /// Directives to the closing brace or the file's end, and the mistake that ends them.
    private mutating func contents(closed: Bool, isSite: Bool = false) async -> ([Directive], Problem?) {
      var directives: [Directive] = []
      depth += 1
      defer { depth -= 1 }
      do throws(Problem) {
        guard depth <= Self.deepest else { throw problem("blocks are nested too deep", at: token) }
        while let token {
          if token.closes {
            guard closed else { throw problem("a closing brace } without an opening one", at: token) }
            advance()
            return (directives, nil)
          }
          if token.text == "import", !token.isQuoted {
            try await importHere()
            continue
          }
          directives.append(try await directive())
        }
        // Caddy is content with a last brace, whichever block it closes.
        if closed, !(isSite && previous?.closes == true) {
          var unclosed = problem("a closing brace } is missing: unexpected end of the file")
          unclosed.isUnclosed = true
          throw unclosed
        }
        return (directives, nil)
      } catch { return (directives, error) }
    }

    private mutating func directive() async throws(Problem) -> Directive {
      guard let name = token else { throw problem("unexpected end of the file") }
      if name.opens { throw problem("a brace { on a line of its own", at: name) }
      advance()
      var arguments: [Token] = []
      while let token, !isOnNewLine {
        if token.opens, rest.count < 2 || rest[rest.count - 2].isOnNewLine(after: token) {
          advance()
          let (block, mistake) = await contents(closed: true)
          if let mistake {
            // What could be read of it still tells where the route leads.
            guard mistake.isUnclosed else { throw mistake }
            blocks.fail(mistake)
          }
          return Directive(name: name, arguments: arguments, block: block, brace: token)
        }
        if token.opens { throw problem("a word stands after { on the same line", at: token) }
        if token.closes { throw problem("a closing brace } without an opening one", at: token) }
        arguments.append(token)
        advance()
      }
      return Directive(name: name, arguments: arguments, block: nil, brace: nil)
    }

    /// Puts the words of a snippet or of files in the place of `import NAME ARGUMENTS { BLOCKS }`.
    private mutating func importHere() async throws(Problem) {
      guard let word = token else { return }
      let before = previous
      advance()
      var words: [Token] = []
      while let token, !isOnNewLine, !token.opens {
        words.append(token)
        advance()
      }
      guard let pattern = words.first, !pattern.text.isEmpty else {
        throw problem("import needs a name", at: word)
      }
      let given = token?.opens == true && !isOnNewLine ? try block() : []
      guard pattern.imports.count < Self.deepest else {
        throw problem("the imports lead back to themselves", at: word)
      }
      let arguments = Array(words.dropFirst())
      let (found, names) = try await self.imported(pattern)
      try link(pattern, to: names, at: word)
      importedSnippets.append(snippets[pattern.text] == nil ? nil : names.first)
      var imported: [Token] = []
      // What a snippet has is filled in where that is imported.
      var (isOfSnippet, depth) = (false, 0)
      for (index, var token) in found.enumerated() {
        if depth == 0, index == 0 || token.isOnNewLine(after: found[index - 1]) {
          isOfSnippet = !token.isQuoted && token.text.hasPrefix("(") && token.text.hasSuffix(")")
        }
        depth += token.opens ? 1 : token.closes ? -1 : 0
        token.imports.append(importedSnippets.count)
        let filled = isOfSnippet ? [token] : try token.filled(with: arguments, given)
        // Each knows all imports that led to it.
        try allowing(word) { allowance throws(Unseen) in
          try allowance.take(filled.count * (1 + token.imports.count / 8), of: word.file)
          try allowance.take(bytes: filled.first?.text.utf8.count ?? 0, of: word.file)
        }
        imported += filled
      }
      rest += imported.reversed()
      previous = before
    }

    /// A limit as the problem at a word.
    private mutating func allowing(
      _ word: Token, _ take: (inout Allowance) throws(Unseen) -> Void
    ) throws(Problem) {
      do throws(Unseen) { try take(&allowance) } catch {
        throw Problem(message: "it is too long", file: word.file, line: word.line, unseen: error)
      }
    }

    /// Notes what imports what; what leads back to itself is a mistake.
    private mutating func link(_ pattern: Token, to names: [String], at word: Token) throws(Problem) {
      let own = pattern.imports.last.flatMap { importedSnippets[$0 - 1] } ?? pattern.file
      for name in names {
        var (open, seen) = ([name], Set<String>())
        while let next = open.popLast() {
          guard next != own else {
            throw problem("a cycle of imports exists between \(own) and \(name)", at: word)
          }
          if seen.insert(next).inserted { open += importing[next] ?? [] }
        }
        importing[own, default: []].insert(name)
      }
    }

    /// The words that an import brings, and the names of the snippet or the files that have them.
    private mutating func imported(_ pattern: Token) async throws(Problem) -> ([Token], names: [String]) {
      if let snippet = snippets[pattern.text] {
        return (snippet, ["\(snippet.first?.file ?? pattern.file):\(pattern.text)"])
      }
      let folder = pattern.file[..<(pattern.file.lastIndex(of: "/") ?? pattern.file.startIndex)]
      let path = ProxyFiles.absolute(pattern.text, in: String(folder))
      let isPattern = path.contains { "*?[".contains($0) }
      let paths = isPattern ? await imports.glob(path) : [path]
      var (words, names): ([Token], [String]) = ([], [])
      for path in paths where !(isPattern && path.split(separator: "/").last?.hasPrefix(".") == true) {
        guard let text = await imports.read(path) else {
          throw problem("the file to import is not there: \(pattern.text)", at: pattern)
        }
        blocks.note(path, text)
        names.append(path)
        words += try Caddyfile.tokens(text, of: path, environment: environment, &allowance)
      }
      return (words, names)
    }
  }
}

extension Caddyfile.Token {
  /// The word with `{args[0]}`, `{args[:]}`, `{args.0}` and `{block}` of an import filled in.
  fileprivate func filled(
    with arguments: [Caddyfile.Token], _ block: [Caddyfile.Token]
  ) throws(Caddyfile.Problem) -> [Caddyfile.Token] {
    func copy(_ text: String, filledBy word: Caddyfile.Token? = nil) -> Caddyfile.Token {
      var copy = self
      (copy.text, copy.columns, copy.scattered) = (text, word?.columns, word?.scattered ?? [])
      copy.filledBy = word.map { $0.filledBy ?? Caddyfile.Line($0.file, $0.line) }
      return copy
    }
    if text == "{block}" { return block }
    if text.hasPrefix("{blocks."), text.hasSuffix("}") { return block.named(String(text.dropFirst(8).dropLast())) }
    guard text.contains("{args") else { return [self] }
    if text.hasPrefix("{args["), text.hasSuffix("]}"), text.contains(":"), text.dropFirst().firstIndex(of: "{") == nil {
      let ends = text.dropFirst(6).dropLast(2).split(separator: ":", omittingEmptySubsequences: false)
      // Caddy takes no negative index, and none behind the last argument: it leaves the word as it is.
      let from = ends[0].isEmpty ? 0 : Int(ends[0])  // fits: a text gives an optional
      let to = ends[1].isEmpty ? arguments.count : Int(ends[1])  // fits: a text gives an optional
      guard ends.count == 2, let from, let to, from >= 0, from <= to, to <= arguments.count else { return [self] }
      return arguments[from..<to].map { copy($0.text, filledBy: $0) }
    }
    if let number = arguments.indices.first(where: { text == "{args[\($0)]}" || text == "{args.\($0)}" }) {
      return [copy(arguments[number].text, filledBy: arguments[number])]
    }
    return [try composed(of: arguments)]
  }

  /// Longer words are no addresses, and many of them would take much room.
  private static let mostPlaces = 300

  /// The word with arguments within it. Those keep their places, if all stand on one line.
  private func composed(of arguments: [Caddyfile.Token]) throws(Caddyfile.Problem) -> Caddyfile.Token {
    var new = self
    (new.text, new.columns) = ("", nil)
    new.scattered = []
    var rest = text[...]
    var lines: [Caddyfile.Line] = []
    while let open = rest.firstRange(of: "{args"), let close = rest[open.upperBound...].firstIndex(of: "}") {
      let end = rest.index(after: close)
      let name = rest[open.lowerBound..<end]
      let argument = arguments.indices.first { name == "{args[\($0)]}" || name == "{args.\($0)}" }.map { arguments[$0] }
      let before = rest[..<(argument == nil ? end : open.lowerBound)]
      new.text += before + (argument?.text ?? "")
      new.scattered += [Int?](repeating: nil, count: before.utf8.count) + (argument?.places ?? [])
      if let argument { lines.append(argument.filledBy ?? Caddyfile.Line(argument.file, argument.line)) }
      rest = rest[end...]
      guard new.text.utf8.count <= Limits.value else {
        let unseen = Unseen.unreadable(what: file, why: .init(.longWord, "\(Limits.value)"))
        throw Caddyfile.Problem(message: "it is too long", file: file, line: line, unseen: unseen)
      }
    }
    new.text += rest
    new.scattered += [Int?](repeating: nil, count: rest.utf8.count)
    let isOneLine = lines.allSatisfy { $0.file == lines.first?.file && $0.number == lines.first?.number }
    if isOneLine, new.scattered.count <= Self.mostPlaces { new.filledBy = lines.first } else { new.scattered = [] }
    return new
  }

  /// The column of each of its bytes.
  private var places: [Int?] {
    columns.map { $0.map { $0 } } ?? (scattered.isEmpty ? [Int?](repeating: nil, count: text.utf8.count) : scattered)
  }
}

extension [Caddyfile.Token] {
  /// Of several blocks the words in that of a name; the last one of that name counts.
  fileprivate func named(_ name: String) -> [Caddyfile.Token] {
    var found: [Caddyfile.Token] = []
    var index = 0
    while index < count {
      let isWanted = self[index].text == name
      var words: [Caddyfile.Token] = []
      var depth = 0
      index += 1
      while index < count, depth > 0 || !self[index].isOnNewLine(after: self[index - 1]) {
        let word = self[index]
        index += 1
        depth += word.opens ? 1 : word.closes ? -1 : 0
        if word.opens && depth == 1 || word.closes && depth == 0 { continue }
        words.append(word)
      }
      if isWanted { found = words }
    }
    return found
  }
}
