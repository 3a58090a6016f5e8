import Pattern

extension Traefik {
  /// How a router's middlewares change what the app gets.
  struct Passage: Sendable {
    /// The path as the app gets it, with its query.
    private(set) var path: String
    /// The middlewares that changed it, by their full names.
    private(set) var rewriting: [String] = []
    /// The address of the service that is asked whether a request may pass.
    private(set) var auth: String?
    /// Where that is written.
    private(set) var authAddress: Settings?
    /// A middleware whose replacement has a group behind two dollars, which stand for one: a Compose file makes one of two,
    /// and nothing else does.
    private(set) var doubled: (name: String, replacement: Settings)?

    init(_ path: String, through names: [String], of configuration: Dynamic) {
      self.path = path
      for name in names { pass(name, configuration, depth: 0) }
    }

    private mutating func pass(_ name: String, _ configuration: Dynamic, depth: Int) {
      guard depth < 8, let settings = configuration.middlewares[name] else { return }
      let provider = name.split(separator: "@").last.map(String.init) ?? ""
      for (kind, options) in settings.branches {
        if kind.lowercased() == "chain" {
          for part in options["middlewares"]?.list ?? [] {
            pass(part.qualified(by: provider), configuration, depth: depth + 1)
          }
        }
        if kind.lowercased() == "replacepathregex", let replacement = options["replacement"],
          replacement.text?.firstMatch(of: /\$\$\{?[0-9]/) != nil
        {
          doubled = doubled ?? (name, replacement)
        }
        if kind.lowercased() == "forwardauth", auth == nil {
          authAddress = options["address"]
          auth = authAddress?.text
        }
        let changed = rewritten(kind.lowercased(), options)
        if changed != path { rewriting.append(name) }
        path = changed
      }
    }

    /// Source: Traefik 3, "HTTP middlewares".
    private func rewritten(_ kind: String, _ options: Settings) -> String {
      let bare = String(path.prefix { $0 != "?" })
      let query = path.dropFirst(bare.count)
      switch kind {
      case "stripprefix":
        guard let prefix = options["prefixes"]?.list.first(where: { bare.hasPrefix($0) }) else { return path }
        return bare.dropFirst(prefix.count).rooted + query
      case "stripprefixregex":
        for regex in options["regex"]?.list ?? [] {
          if let match = (try? Pattern("^(?:\(regex))"))?.firstMatch(in: bare) {
            return bare.dropFirst(match.whole.count).rooted + query
          }
        }
        return path
      case "addprefix": return (options["prefix"]?.text ?? "").rooted + bare + query
      case "replacepath": return (options["path"]?.text).map { $0 + query } ?? path
      case "replacepathregex":
        guard let regex = options["regex"]?.text, let match = (try? Pattern(regex))?.firstMatch(in: bare),
          let range = bare.firstRange(of: match.whole)
        else { return path }
        var new = options["replacement"]?.text ?? ""
        for (number, group) in match.groups.enumerated().reversed() {
          new = new.replacing("${\(number)}", with: group ?? "").replacing("$\(number)", with: group ?? "")
        }
        return bare.replacingCharacters(in: range, with: new) + query
      default: return path
      }
    }
  }
}

extension StringProtocol {
  /// With one slash before it.
  fileprivate var rooted: String { hasPrefix("/") ? String(self) : "/" + self }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
