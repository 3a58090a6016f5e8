import Model
import YAML

extension Traefik {
  /// Traefik's settings as one tree, whether they come from flags, variables, labels or a file.
  ///
  /// Names are found whatever their case, as Traefik does.
  struct Settings: Sendable {
    /// The value, if this is a leaf.
    var text: String?
    /// Where the value stands in a file.
    var span: Span?
    /// The line on which it or its branch begins.
    var line: Span?
    /// The line after that.
    var next: String?
    /// The whole name of the label that sets it.
    var label: String?
    private(set) var branches: [(name: String, settings: Settings)] = []

    /// The branch at the end of a path.
    subscript(_ path: String...) -> Settings? { self[path[...]] }

    private subscript(path: ArraySlice<String>) -> Settings? {
      guard let name = path.first?.lowercased() else { return self }
      return branches.first { $0.name.lowercased() == name }?.settings[path.dropFirst()]
    }

    /// The values of a list: `a,b` or a list of its own.
    var list: [String] {
      if let text { return text.split(separator: ",").map { String($0).trimmed } }
      return branches.compactMap(\.settings.text)
    }

    /// True for `true` as Go reads it.
    var isOn: Bool { ["true", "1", "t"].contains(text?.lowercased()) }

    mutating func set(_ value: String, at path: [String], label: String? = nil) {
      guard let name = path.first else {
        (text, self.label) = (value, label)
        return
      }
      let index = branches.firstIndex { $0.name.lowercased() == name.lowercased() } ?? branches.count
      if index == branches.count { branches.append((name, Settings())) }
      branches[index].settings.set(value, at: Array(path.dropFirst()), label: label)
    }
  }
}

extension Traefik.Settings {
  /// `--entryPoints.web.address=:80`, `--api.insecure`, `--log.level DEBUG`.
  init(flags: [String]) {
    var words = flags[...]
    while let word = words.popFirst() {
      guard word.hasPrefix("-") else { continue }
      let parts = word.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, !name.isEmpty else { continue }
      var value = parts.count > 1 ? String(parts[1]) : "true"
      if parts.count == 1, let next = words.first, !next.hasPrefix("-") {
        value = next
        words = words.dropFirst()
      }
      set(value, at: Self.path(name))
    }
  }

  /// `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80`.
  init(variables: [String]) {
    for variable in variables where variable.hasPrefix("TRAEFIK_") {
      let parts = variable.dropFirst(8).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      set(parts.count > 1 ? String(parts[1]) : "", at: parts[0].split(separator: "_").map { $0.lowercased() })
    }
  }

  /// The labels of a container that begin with `traefik.`.
  init(labels: [String: String]) {
    for (name, value) in labels.sorted(by: { $0.key < $1.key }) where name.lowercased().hasPrefix("traefik.") {
      set(value, at: Self.path(name.dropFirst(8)), label: name)
    }
  }

  /// A file's settings with their places.
  init(_ file: YAMLFile) { self.init(file.root, in: file) }

  private init(_ node: YAML.Node, in file: YAMLFile) {
    switch node.content {
    case .scalar(let text):
      self.init(text: text, span: file.span(of: text, in: node))
    case .mapping(let pairs):
      self.init(branches: pairs.map { ($0.key, Self($0.value, in: file, at: $0.place.line)) })
    case .sequence(let items):
      self.init(branches: items.enumerated().map { (String($0), Self($1, in: file, at: $1.place.line)) })
    }
  }

  private init(_ node: YAML.Node, in file: YAMLFile, at number: Int) {
    self.init(node, in: file)
    line = file.wholeLine(number)
    next = file.line(number + 1)
  }

  /// `tls.domains[0].main` in its parts.
  private static func path(_ name: some StringProtocol) -> [String] {
    name.split { $0 == "." || $0 == "[" }.map { String($0.filter { $0 != "]" }) }
  }
}
