import Model
import Routes

extension Traefik {
  /// Traefik's settings as one tree, whether they come from flags, variables, labels or a file.
  ///
  /// Names are found whatever their case, as Traefik does.
  struct Settings: Sendable {
    /// A node of a file, and the line of its key or dash.
    private struct Written: Sendable {
      let node: Document.Node
      let file: DocumentFile
      let number: Int?
    }

    /// Of a file: everything below is made of it where it is asked for.
    private var written: Written?
    private var given: String?
    private var children: [(name: String, settings: Settings)] = []
    /// Lower-case names to their indices in `children`.
    private var indices: [String: Int] = [:]
    /// The whole name of the label that sets it.
    private(set) var label: String?

    init() {}

    /// A file's settings with their places.
    init(_ file: DocumentFile) { self.init(file.root, file, nil) }

    private init(_ node: Document.Node, _ file: DocumentFile, _ number: Int?) {
      written = Written(node: node, file: file, number: number)
    }

    /// The value, if this is a leaf.
    var text: String? { written == nil ? given : written?.node.text }

    /// Where the value stands in a file.
    var span: Span? {
      written.flatMap { written in written.node.text.flatMap { written.file.span(of: $0, in: written.node) } }
    }

    /// The line on which it or its branch begins: the place for another line of YAML. In TOML a table may begin anywhere.
    var line: Span? { begin.flatMap { $0.file.wholeLine($0.number) } }

    /// The line after that.
    var next: String? { begin.flatMap { $0.file.line($0.number + 1) } }

    private var begin: (file: DocumentFile, number: Int)? {
      guard let written, let number = written.number, written.file.notation == .yaml else { return nil }
      return (written.file, number)
    }

    var branches: [(name: String, settings: Settings)] {
      guard let written else { return children }
      let (node, file) = (written.node, written.file)
      return node.pairs.map { ($0.key, Settings($0.value, file, $0.place.line)) }
        + node.items.enumerated().map { (String($0), Settings($1, file, $1.place.line)) }
    }

    /// The branch at the end of a path.
    subscript(_ path: String...) -> Settings? {
      var settings = self
      for name in path {
        guard let branch = settings.branch(name.lowercased()) else { return nil }
        settings = branch
      }
      return settings
    }

    private func branch(_ name: String) -> Settings? {
      guard let written else { return indices[name].map { children[$0].settings } }
      if case .sequence(let items) = written.node.content {
        guard let index = Int(name), items.indices.contains(index) else { return nil }
        return Settings(items[index], written.file, items[index].place.line)
      }
      return written.node.pairs.first { $0.key.lowercased() == name }
        .map { Settings($0.value, written.file, $0.place.line) }
    }

    /// The first label that sets it or something below it.
    var firstLabel: String? { label ?? children.lazy.compactMap(\.settings.firstLabel).first }

    /// True for a file's list.
    var isList: Bool { if case .sequence = written?.node.content { true } else { false } }

    /// The values of a list: `a,b` or a list of its own.
    var list: [String] {
      if let text { return text.split(separator: ",").map { String($0).trimmed } }
      return branches.compactMap(\.settings.text)
    }

    /// True for `true` as Go reads it.
    var isOn: Bool { ["true", "1", "t"].contains(text?.lowercased()) }

    /// Sets a value that comes from no file. A name of more parts than any setting has is passed over.
    mutating func set(_ value: String, at path: [String], label: String? = nil) {
      guard path.count <= Limits.labelParts else { return }
      set(value, at: path[...], label: label)
    }

    private mutating func set(_ value: String, at path: ArraySlice<String>, label: String?) {
      guard let name = path.first else {
        (given, self.label) = (value, label)
        return
      }
      let index = indices[name.lowercased()] ?? children.count
      if index == children.count {
        children.append((name, Settings()))
        indices[name.lowercased()] = index
      }
      children[index].settings.set(value, at: path.dropFirst(), label: label)
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
      set(label: name, to: value)
    }
  }

  mutating func set(label name: String, to value: String) {
    set(value, at: Self.path(name.dropFirst(8)), label: name)
  }

  /// `tls.domains[0].main` in its parts.
  private static func path(_ name: some StringProtocol) -> [String] {
    name.split { $0 == "." || $0 == "[" }.map { String($0.filter { $0 != "]" }) }
  }
}
