import Pattern

extension Apache.Configuration {
  /// The way of a request through one server: its rules, what it passes on, and the sections that are about a path.
  ///
  /// Source: httpd's hooks in their order: `mod_rewrite`, `mod_proxy` and `mod_alias` translate a name, then the
  /// sections' rules (`hook_fixup`), redirects and `mod_dir` follow.
  struct Way {
    enum Ending {
      case passed(Pass)
      /// httpd answers itself.
      case own(Apache.Directive?)
      case unclear(Apache.Directive)
      /// It has moved within httpd, by this directive.
      case again(Apache.Directive)
    }

    /// Where a request is passed on to.
    struct Pass {
      let directive: Apache.Directive
      let url: Traced
      let rest: String
      let parameters: [Traced]
      /// A later line for a longer path, to which httpd never comes.
      var shadowed: Apache.Directive?
    }

    /// The file for which a path stands.
    private struct File {
      let path: String
      /// Where the files of the path lie: below the site's root, or where an `Alias` says.
      let root: String
      let whole: String
      var name: String {
        let parts = path.split(separator: "/").map(String.init)
        return parts.first { $0.isScript } ?? (path.hasSuffix("/") ? "" : parts.last ?? "")
      }
    }

    private let server: Apache.Server
    /// The server's own.
    private let own: [Apache.Directive]
    /// Of the main server, for a virtual host.
    private let inherited: [Apache.Directive]
    /// The inherited ones, the own ones behind them.
    private let lines: [Apache.Directive]
    private let root: String
    private let patterns: Apache.Patterns
    /// What stands in the `.htaccess` of folders.
    private let overrides: [String: Apache.Directive?]

    init(_ configuration: Apache.Configuration, _ server: Apache.Server) {
      self.server = server
      (inherited, own) = configuration.lines(of: server)
      lines = inherited + own
      root = configuration.documentRoot(of: lines)
      (overrides, patterns) = (configuration.overrides, configuration.patterns)
    }

    /// The request's next turn. `mayRewrite` is false once a rule was the last one that may look at it.
    func look(_ asked: inout Apache.Asked, _ mayRewrite: inout Bool) -> Ending {
      var (file, isMapped, moved) = (file(asked.path), false, server.section)
      if mayRewrite, let rules = rulesOfServer {
        var rewriting = self.rewriting(asked, asked.path, folder: nil)
        let ending = rewriting.run(rules)
        asked = rewriting.asked
        mayRewrite = !rewriting.isDone
        switch ending {
        case .passed(let url, let rule):
          return .passed(Pass(directive: rule, url: url, rest: "", parameters: []))
        case .own(let rule): return .own(rule)
        case .unclear(let rule): return .unclear(rule)
        case .moved(let rule, let mapsOn):
          (file, isMapped, moved) = (self.file(rewriting.subject), !mapsOn, rule)
          if mapsOn { asked.path = rewriting.subject }
        case .goesOn: break
        }
      }
      var pass: Pass?
      if !isMapped {
        switch passed(asked.path) {
        case .passed(let found): pass = found
        case .own(let directive): return .own(directive)
        case .unclear, .again, nil: break
        }
        if pass == nil, let redirect = lines.first(where: { $0.redirects(asked.path, patterns) }) {
          return .own(redirect)
        }
      }
      let sections = sections(about: asked.path, pass == nil ? file : nil)
      if mayRewrite, let ending = rewritten(&asked, file, pass, sections, &mayRewrite) { return ending }
      if let redirect = sections.lazy.flatMap({ $0.block ?? [] }).first(where: { $0.redirects(asked.path, patterns) }) {
        let isJudged = !sections.contains { $0.key == "if" && ($0.block ?? []).contains(redirect) }
        return isJudged ? .own(redirect) : .unclear(redirect)
      }
      if let pass { return .passed(pass) }
      return answered(&asked, file, sections) ?? .own(moved)
    }

    private func file(_ path: String) -> File {
      for alias in lines where alias.key == "alias" {
        guard let target = alias.text(1), let length = path.lengthOfAlias(alias.text(0) ?? "") else { continue }
        return File(path: path, root: target.withoutSlash, whole: target + path.dropFirst(length))
      }
      return File(path: path, root: root, whole: root + path)
    }

    /// Rules of the main server hold for a virtual host only if it asks for them.
    private var rulesOfServer: [Apache.Directive]? {
      guard own.last("rewriteengine")?.text(0)?.lowercased() == "on" else { return nil }
      let inherits = own.contains {
        $0.key == "rewriteoptions" && $0.arguments.contains { $0.text.lowercased().hasPrefix("inherit") }
      }
      return own + (inherits ? inherited : [])
    }

    private func rewriting(_ asked: Apache.Asked, _ subject: String, folder: String?) -> Rewriting {
      Rewriting(
        asked, subject: subject, root: root, folder: folder,
        maps: lines.all("rewritemap").reduce(into: [:]) { $0[$1.text(0) ?? ""] = $1.text(1)?.lowercased() ?? "" },
        hasEnvironment: lines.contains(where: \.setsEnvironment), patterns: patterns)
    }

    /// By `ProxyPass`: the last `<Location>` that has one, else the first line that fits, the main server's own first.
    private func passed(_ path: String) -> Ending? {
      func ending(_ directive: Apache.Directive, _ url: Traced, rest: String, _ parameters: [Traced]) -> Ending {
        guard url.text != "!" else { return .own(directive) }
        return .passed(Pass(directive: directive, url: url, rest: rest, parameters: parameters))
      }
      for section in lines.reversed() where ["location", "locationmatch"].contains(section.key) {
        guard let matched = section.matches(path, patterns),
          let pass = (section.block ?? []).last(where: { $0.isPass }), let url = pass.arguments.first
        else { continue }
        let parameters = Array(pass.arguments.dropFirst())
        if matched.groups.isEmpty, !pass.isPattern {
          return ending(pass, url, rest: String(path.dropFirst(matched.length)), parameters)
        }
        return ending(pass, url.expanding(matched.groups), rest: "", parameters)
      }
      let isApart = [inherited, own].allSatisfy {
        $0.last("proxypassinherit")?.text(0)?.lowercased() == "off"
      }
      let passes = (isApart ? own : lines).filter { $0.isPass && $0.arguments.count > 1 }
      for (index, pass) in passes.enumerated() {
        let parameters = Array(pass.arguments.dropFirst(2))
        if pass.isPattern {
          guard let match = patterns(pass.arguments[0].text)?.firstMatch(in: path) else { continue }
          let url = pass.arguments[1]
          // Without a `$1` the whole path follows, as for ProxyPass.
          let hasGroups = url.text.contains("$")
          return ending(pass, url.expanding(match.groups), rest: hasGroups ? "" : path, parameters)
        }
        guard let length = path.lengthOfAlias(pass.arguments[0].text) else { continue }
        guard
          case .passed(var way) = ending(
            pass, pass.arguments[1], rest: String(path.dropFirst(length)), parameters)
        else { return .own(pass) }
        way.shadowed = passes[(index + 1)...].first { later in
          !later.isPattern && later.arguments[1].text != "!" && later.arguments[1].text != pass.arguments[1].text
            && path.lengthOfAlias(later.arguments[0].text).map { $0 > length } == true
        }
        return .passed(way)
      }
      return nil
    }

    /// The sections about a path, those that count most at the end; without a file only those about paths.
    private func sections(about path: String, _ file: File?) -> [Apache.Directive] {
      let all = lines.filter { $0.block != nil }
      func about(_ key: String, _ isAbout: (Apache.Directive) -> Bool) -> [Apache.Directive] {
        all.filter { ($0.key == key || $0.key == key + "match") && isAbout($0) }
      }
      var found: [Apache.Directive] = []
      if let file {
        let folders = about("directory") { $0.holds(folderOf: file.whole, patterns) }
        found += folders.filter { !$0.isRegex }.sorted { $0.length < $1.length }
        found += [overrides[file.root] ?? nil].compactMap(\.self)
        found += folders.filter(\.isRegex) + about("files") { $0.holds(name: file.name, patterns) }
        found += within(found, file.name)
      }
      return found + about("location") { $0.matches(path, patterns) != nil } + all.all("if")
    }

    /// What stands in sections for the name of a file; of conditions it is not known whether they hold.
    private func within(_ sections: [Apache.Directive], _ name: String) -> [Apache.Directive] {
      let inner = sections.flatMap { $0.block ?? [] }
        .filter { $0.key == "if" || $0.key.hasPrefix("files") && $0.holds(name: name, patterns) }
      return inner.isEmpty ? [] : inner + within(inner, name)
    }

    /// The last section that has rules decides by them, and so it does for what is passed on already.
    private func rewritten(
      _ asked: inout Apache.Asked, _ file: File, _ pass: Pass?, _ sections: [Apache.Directive], _ mayRewrite: inout Bool
    ) -> Ending? {
      let lines = sections.flatMap { $0.block ?? [] }
      guard lines.last("rewriteengine")?.text(0)?.lowercased() == "on",
        let section = sections.last(where: { ($0.block ?? []).contains { $0.key.hasPrefix("rewrite") } }),
        let rules = section.block, rules.contains(where: { $0.key == "rewriterule" })
      else { return nil }
      if section.key == "if" { return .unclear(section) }
      // Rules of a folder look at what of the file's name is behind it.
      let whole = pass.map { "proxy:" + $0.url.text + $0.rest } ?? file.whole
      let isPlain = section.key == "directory" && !section.isRegex
      let folder = (isPlain ? section.text(0) ?? "/" : file.root).withSlash
      let isInside = section.key.hasPrefix("directory") && whole.hasPrefix(folder)
      let subject = isInside ? String(whole.dropFirst(folder.count)) : whole
      var rewriting = self.rewriting(asked, subject, folder: isInside ? folder : nil)
      let ending = rewriting.run(rules)
      // The folder of the site is there, and its index is asked for in its place.
      if case .passed = ending, pass == nil, file.path == "/", let index = index(&asked, file, sections) {
        return index
      }
      asked = rewriting.asked
      if rewriting.isDone { mayRewrite = false }
      switch ending {
      case .passed(let url, let rule):
        return .passed(Pass(directive: rule, url: url, rest: "", parameters: []))
      case .own(let rule): return .own(rule)
      case .unclear(let rule): return .unclear(rule)
      case .goesOn: return nil
      case .moved(let rule, _):
        var path = rewriting.subject
        if !path.hasPrefix("/") {
          let base = rules.last("rewritebase")?.text(0)
          let above = isInside ? folder.hasPrefix(root) ? String(folder.dropFirst(root.count)) : nil : section.text(0)
          path = (base ?? above ?? "/").withSlash + path
        }
        guard path != asked.path else { return nil }
        asked.path = path
        return .again(rule)
      }
    }

    /// What answers a request that nobody has passed on: a handler, the index of the folder, or `FallbackResource`.
    private func answered(_ asked: inout Apache.Asked, _ file: File, _ sections: [Apache.Directive]) -> Ending? {
      let lines = self.lines + sections.flatMap { $0.block ?? [] }
      if let ending = handled(lines, asked.path) ?? index(&asked, file, sections) { return ending }
      if let fallback = lines.last("fallbackresource"), let path = fallback.text(0), path.hasPrefix("/"),
        path != asked.path
      {
        asked.path = path
        return .again(fallback)
      }
      // A folder further below may have a `.htaccess` of its own that leads to a script.
      let isDeep = file.path.dropFirst(file.whole.hasPrefix(root) ? 1 : 0).contains("/")
      guard let line = lines.last("allowoverride"), line.text(0)?.lowercased() != "none",
        isDeep || overrides[file.root] == .some(nil)
      else { return nil }
      let script = self.sections(about: file.path, self.file("/index.php")).flatMap { $0.block ?? [] }
      return handled(self.lines + script, file.path) == nil ? nil : .unclear(line)
    }

    /// By the handler that comes last, if that is a proxy.
    private func handled(_ lines: [Apache.Directive], _ path: String) -> Ending? {
      guard let handler = lines.last("sethandler"), let url = handler.arguments.first,
        url.text.lowercased().hasPrefix("proxy:")
      else { return nil }
      let isWhole = url.text.contains("|") || !url.text.hasPrefix("proxy:http")
      return .passed(
        Pass(
          directive: handler, url: url[6..<url.bytes.count], rest: isWhole ? "" : path, parameters: []))
    }

    /// A folder is answered by the first of its index files that is passed on; one whose path ends in a slash is there.
    private func index(_ asked: inout Apache.Asked, _ file: File, _ sections: [Apache.Directive]) -> Ending? {
      guard file.path.hasSuffix("/"), file.name.isEmpty else { return nil }
      let lines = self.lines + sections.flatMap { $0.block ?? [] }
      for name in lines.last("directoryindex")?.arguments.map(\.text) ?? ["index.html"] where !name.hasSuffix("/") {
        var (part, mayRewrite) = (asked, true)
        part.path = name.hasPrefix("/") ? name : file.path + name
        let ending = look(&part, &mayRewrite)
        guard case .passed = ending else { continue }
        asked = part
        return ending
      }
      return nil
    }
  }

  /// The same with the `.htaccess` of the folders of a host, where `AllowOverride` lets httpd read it.
  func withOverrides(for host: String, port: UInt16) async -> Apache.Configuration {
    let server = server(for: host, port: port).server
    let (inherited, own) = self.lines(of: server)
    let lines = inherited + own
    var whole = self
    for folder in [documentRoot(of: lines)] + lines.all("alias").compactMap({ $0.text(1)?.withoutSlash }) {
      let allowed = lines.all("directory").filter { $0.holds(folderOf: folder.withSlash, patterns) }
        .sorted { $0.length < $1.length }.flatMap { $0.block ?? [] }.last("allowoverride")
      guard let allowed, allowed.text(0)?.lowercased() != "none" else { continue }
      let name = lines.last("accessfilename")?.text(0) ?? ".htaccess"
      await whole.override(folder, file: "\(folder.withSlash)\(name)")
    }
    return whole
  }

  /// The lines that have to do with the way of a request through a server: what it has of the main one, and its own.
  private func lines(of server: Apache.Server) -> (inherited: [Apache.Directive], own: [Apache.Directive]) {
    server.section == nil ? ([], mainLines) : (mainLines, server.lines)
  }

  /// Where the files of a server with these lines lie.
  private func documentRoot(of lines: [Apache.Directive]) -> String {
    absolute(lines.last("documentroot")?.text(0) ?? "htdocs").withoutSlash
  }
}

extension Apache.Directive {
  fileprivate var setsEnvironment: Bool {
    ["setenv", "passenv"].contains(key) || key.hasPrefix("setenvif") || key.hasPrefix("browsermatch")
  }

  /// Whether it has to do with the way of a request through a server.
  var isOfWay: Bool { block != nil || Self.ofWay.contains { key.hasPrefix($0) } || setsEnvironment }

  private static let ofWay = [
    "rewrite", "proxypass", "alias", "redirect", "sethandler", "directoryindex", "fallbackresource", "documentroot",
    "accessfilename", "allowoverride",
  ]

  /// Whether a redirect of mod_alias is about the path.
  fileprivate func redirects(_ path: String, _ patterns: Apache.Patterns) -> Bool {
    switch key {
    case "redirect", "redirectpermanent", "redirecttemp":
      let words = arguments.map(\.text)
      // Within a section the path may be missing.
      guard let from = words.first(where: { $0.hasPrefix("/") }) else { return true }
      return path.lengthOfAlias(from) != nil
    case "redirectmatch":
      let words = arguments.map(\.text)
      let hasStatus = words.count > 2 || words.first.map { Int($0) != nil } == true
      guard let pattern = words.dropFirst(hasStatus ? 1 : 0).first else { return false }
      return patterns(pattern)?.matches(path) == true
    default: return false
    }
  }

  /// Whether a section is about names by a regular expression.
  fileprivate var isRegex: Bool { key.hasSuffix("match") || text(0) == "~" }

  private func matchesRegex(_ name: String, _ patterns: Apache.Patterns) -> Bool {
    (text(0) == "~" ? text(1) : text(0)).flatMap { patterns($0) }?.matches(name) == true
  }

  fileprivate var length: Int { text(0)?.utf8.count ?? 0 }

  /// Whether a `<Directory>` is one of those in which a file lies.
  fileprivate func holds(folderOf file: String, _ patterns: Apache.Patterns) -> Bool {
    guard let first = text(0) else { return false }
    if isRegex {
      return matchesRegex(String(file.prefix(through: file.lastIndex(of: "/") ?? file.startIndex)), patterns)
    }
    if first.contains(where: { "*?[".contains($0) }) { return (first.withSlash + "*").covers(file) }
    return file.hasPrefix(first.withSlash) || file == first
  }

  /// Whether a `<Files>` is about the name of a file.
  fileprivate func holds(name: String, _ patterns: Apache.Patterns) -> Bool {
    isRegex ? matchesRegex(name, patterns) : text(0)?.covers(name) == true
  }
}

extension String {
  fileprivate var withSlash: String { hasSuffix("/") ? self : self + "/" }
  fileprivate var withoutSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
