import Routes

extension Nginx {
  /// How a location is found.
  enum Location {
    case exact(String)
    case prefix(String, isFinal: Bool)
    case regex(String)
    case named(String)

    init(_ directive: Directive) {
      let words = directive.arguments.map(\.text)
      let (modifier, name) = words.count > 1 ? (words[0], words[1]) : Self.split(words.first ?? "")
      self =
        switch modifier {
        case "=": .exact(name)
        case "^~": .prefix(name, isFinal: true)
        case "~": .regex(name)
        case "~*": .regex("(?i)" + name)
        default: name.hasPrefix("@") ? .named(name) : .prefix(name, isFinal: false)
        }
    }

    /// The modifier may stand before the name without a blank.
    private static func split(_ word: String) -> (modifier: String, name: String) {
      let modifier = ["^~", "~*", "~", "="].first { word.hasPrefix($0) } ?? ""
      return (modifier, String(word.dropFirst(modifier.count)))
    }

    /// The part of the path that it matches; nil where that differs from path to path.
    var prefix: String? {
      switch self {
      case .exact(let name), .prefix(let name, _): name
      case .regex, .named: nil
      }
    }
  }

  struct ChosenLocation {
    /// From the outermost location to the innermost; none if the server itself answers.
    var chain: [Directive] = []
    /// The path lacks only the slash at its end: nginx redirects there.
    var redirect: String?
    var groups: Groups?
  }

  /// The location of `path`, as `ngx_http_core_find_location` finds it.
  static func location(of path: String, in block: [Directive], matches: Matcher) -> ChosenLocation {
    var chosen = ChosenLocation()
    _ = search(path, in: block, matches, &chosen)
    return chosen
  }

  /// True if no regular expression of an outer level is asked any more.
  private static func search(
    _ path: String, in block: [Directive], _ matches: Matcher, _ chosen: inout ChosenLocation
  ) -> Bool {
    let above = chosen.chain
    let locations = block.all("location").map { (directive: $0, location: Location($0)) }
    var best: (directive: Directive, length: Int, isFinal: Bool)?
    for (directive, location) in locations {
      switch location {
      case .exact(path):
        chosen.chain.append(directive)
        return true
      case .prefix(let name, let isFinal) where path.utf8.starts(with: name.utf8):
        if best.map({ $0.length < name.utf8.count }) ?? true { best = (directive, name.utf8.count, isFinal) }
      default: break
      }
    }
    if best?.length != path.utf8.count {
      let slashed = locations.first { $0.location.prefix == path + "/" && $0.directive.passes != nil }
      if let slashed {
        chosen.chain.append(slashed.directive)
        chosen.redirect = path + "/"
        return true
      }
    }
    if let best {
      chosen.chain.append(best.directive)
      if search(path, in: best.directive.block ?? [], matches, &chosen) { return true }
      if best.isFinal { return false }
    }
    for (directive, location) in locations {
      guard case .regex(let regex) = location, let groups = matches(regex, path) else { continue }
      chosen.chain = above + [directive]
      chosen.groups = groups
      _ = search(path, in: directive.block ?? [], matches, &chosen)
      return true
    }
    return false
  }
}

extension Nginx.Directive {
  /// The directive that passes requests on, if this block has one.
  var passes: Nginx.Directive? { block?.first { Nginx.Route.Kind(pass: $0.name) != nil } }
}
