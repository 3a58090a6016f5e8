public import Model
public import Routes
public import World
import YAML

/// The service in Compose files that a container was made from, as far as this machine can read them.
///
/// Source: the labels that Compose writes on its containers; Compose Specification, "services".
public struct ComposeService: Sendable {
  public let project: String
  public let name: String
  /// Paths on this machine, in the order in which Compose lays them over each other.
  public let files: [String]
  private let parts: [(file: DocumentFile, service: YAML.Node)]

  /// Nil for a container that Compose did not make.
  public init?(of labels: [String: String], in world: any World) async {
    guard let (project, name, files) = labels.compose else { return nil }
    (self.project, self.name, self.files) = (project, name, files)
    var parts: [(DocumentFile, YAML.Node)] = []
    for path in files.prefix(8) {
      // `patch` finds no line of a file with other line ends.
      guard let sight = try? await world.see(FileRead(path: path)), !sight.bytes.contains(UInt8(ascii: "\r")),
        let file = DocumentFile(sight.text, path: sight.target ?? path),
        let service = file.root["services"]?.pairs.first(where: { $0.key == name })?.value
      else { continue }
      parts.append((file, service))
    }
    self.parts = parts
  }

  /// One label as a Compose file has it.
  public struct Label: Sendable {
    public let name: String
    public let value: String
    /// Where its value stands; nil if it is put together from variables or spread over lines.
    public let valueSpan: Span?
    /// Its line, and the next one if that is not blank: the place for another label.
    public let line: Span?
    public let next: String?
    /// What stands around the name and the value of a label of this list: `- "` `=` `"`, or `"` `: "` `"`.
    public let form: (open: String, between: String, close: String)
  }

  /// Its labels, those of later files first.
  public var labels: [Label] {
    parts.reversed().flatMap { file, service -> [Label] in
      guard let labels = service["labels"] else { return [] }
      let listed = labels.items.compactMap { item -> Label? in
        guard let text = item.text else { return nil }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        return Label(
          name: name, value: value, valueSpan: file.span(of: value, behind: name + "=", in: item),
          line: file.wholeLine(item.place.line), next: file.line(item.place.line + 1).flatMap(\.unlessBlank),
          form: ("- \"", "=", "\""))
      }
      let mapped = labels.pairs.compactMap { pair -> Label? in
        guard let value = pair.value.text else { return nil }
        let line = pair.place.line
        return Label(
          name: pair.key, value: value, valueSpan: file.span(of: value, in: pair.value),
          line: pair.value.place.line == line ? file.wholeLine(line) : nil,
          next: file.line(line + 1).flatMap(\.unlessBlank),
          form: ("\"", "\": \"", "\""))
      }
      return listed + mapped
    }
  }

  /// A label by its name, whatever its case.
  public func label(_ name: String) -> Label? { labels.first { $0.name.lowercased() == name.lowercased() } }

  /// The last label after which another one can be put.
  public var labelPlace: Label? { labels.last { $0.line != nil && $0.next != nil } }

  /// Its published ports: each entry's whole text as written, with its place.
  public var ports: [(text: String, span: Span?)] { texts("ports") }

  /// The networks that it names itself; empty: the project's own.
  public var networks: [(text: String, span: Span?)] {
    let mapped = parts.reversed().flatMap { file, service in
      (service["networks"]?.pairs ?? []).map { (text: $0.key, span: file.wholeLine($0.place.line)) }
    }
    return mapped + texts("networks")
  }

  /// What its file needs so that it is in a network for good: lines that take the place of others.
  ///
  /// Nil if no file has the service in a form that can be added to. A network that the file itself makes goes by its own
  /// name there; any other one is external.
  public func joining(_ network: String) -> (service: Replacement, file: Replacement?)? {
    guard let (file, service) = parts.last(where: { $0.service["network_mode"] == nil }),
      let services = file.root.pairs.first(where: { $0.key == "services" }),
      let key = services.value.pairs.first(where: { $0.key == name }),
      let indent = service.pairs.first.map({ String(repeating: " ", count: $0.place.column - 1) })
    else { return nil }
    let made = file.root["networks"]?.pairs.first {
      $0.value["name"]?.text == network || "\(project)_\($0.key)" == network
    }
    let isExternal = made == nil && file.root["networks"]?.pairs.contains { $0.key == network } != true
    let known = made?.key ?? network
    let own: Replacement?
    if let networks = service.pairs.first(where: { $0.key == "networks" }) {
      let isList = !networks.value.items.isEmpty
      own = (networks.value.items.first?.place ?? networks.value.pairs.first?.place).flatMap { first in
        guard first.line > networks.place.line else {
          // `[web, apps]` in one line.
          guard let line = file.line(first.line), isList, line.hasSuffix("]") else { return nil }
          return file.replacement(of: first.line, with: [.text(line.dropLast() + ", \(known)]")])
        }
        let item = isList ? file.line(first.line)?.prefix { $0 == " " }.count ?? 0 : first.column - 1
        let entry = String(repeating: " ", count: item) + (isList ? "- \(known)" : "\(known):")
        return file.replacement(of: networks.place.line, with: [.line, .text(entry)])
      }
    } else {
      own = file.replacement(
        of: key.place.line,
        with: [
          .line, .text("\(indent)networks:"), .text("\(indent)  - default"), .text("\(indent)  - \(known)"),
        ])
    }
    guard let own else { return nil }
    guard isExternal else { return (own, nil) }
    let external = ["  \(network):", "    external: true"]
    guard let networks = file.root.pairs.first(where: { $0.key == "networks" }) else {
      return (
        own,
        file.replacement(
          of: services.place.line, with: [.text("networks:")] + external.map { .text($0) } + [.text(""), .line])
      )
    }
    guard let first = networks.value.pairs.first, first.place.line > networks.place.line else { return nil }
    let deeper = String(repeating: " ", count: first.place.column - 1)
    return (
      own,
      file.replacement(
        of: networks.place.line, with: [.line, .text("\(deeper)\(network):"), .text("\(deeper)  external: true")])
    )
  }

  /// What its file needs so that a port of it is published at this machine's loopback address: lines that take the place
  /// of another. Nil if no file has the service in a form that can be added to.
  public func publishing(_ inside: UInt16, at port: UInt16) -> Replacement? {
    parts.contains { $0.service["network_mode"] != nil } ? nil : adding("\"127.0.0.1:\(port):\(inside)\"", to: "ports")
  }

  /// What its file needs so that a published port leads to another port inside; nil if no line of it publishes the first.
  public func publishing(_ inside: UInt16, instead port: UInt16) -> Replacement? {
    for (text, span) in ports {
      guard let span, [":\(inside)", ":\(inside)/tcp"].contains(where: text.hasSuffix) else { continue }
      let end = text.hasSuffix("/tcp") ? "\(inside)/tcp".count : "\(inside)".count
      return span.replacement(text.dropLast(end) + String(port))
    }
    return nil
  }

  /// What its file needs so that one of its keys has this value: a line, or two of them, in the place of one. Nil if no
  /// file has the service in a form that can be added to.
  public func setting(_ key: String, to value: String) -> Replacement? {
    guard let (file, service) = parts.last(where: { $0.service[key] != nil }) ?? parts.last else { return nil }
    if let old = service.pairs.first(where: { $0.key == key }) {
      guard old.value.place.line == old.place.line, case .scalar = old.value.content else { return nil }
      let indent = String(repeating: " ", count: old.place.column - 1)
      return file.replacement(of: old.place.line, with: [.text("\(indent)\(key): \(value)")])
    }
    guard let own = file.root["services"]?.pairs.first(where: { $0.key == name }),
      let first = service.pairs.first, first.place.line > own.place.line
    else { return nil }
    let indent = String(repeating: " ", count: first.place.column - 1)
    return file.replacement(of: own.place.line, with: [.line, .text("\(indent)\(key): \(value)")])
  }

  /// What its file needs so that its container has no health check; nil if no file has one of its own in block form.
  public var unchecked: Replacement? {
    guard let (file, service) = parts.last(where: { $0.service["healthcheck"] != nil }),
      let key = service.pairs.first(where: { $0.key == "healthcheck" }),
      let inside = key.value.pairs.first, inside.place.line == key.place.line + 1
    else { return nil }
    let last =
      (inside.place.line...inside.place.line + 100).prefix { number in
        file.line(number).map { $0.prefix { $0 == " " }.count >= inside.place.column - 1 && $0.contains { $0 != " " } }
          == true
      }.last ?? inside.place.line
    let lines = (inside.place.line...last).compactMap(file.line)
    return Replacement(
      line: Span(
        file: file.path, line: inside.place.line, text: lines.joined(separator: "\n"), head: "", tail: ""),
      lines: String(repeating: " ", count: inside.place.column - 1) + "disable: true")
  }

  /// Whether its files put it into that network; nil if they could not be read.
  public func names(_ network: String) -> Bool? {
    guard !parts.isEmpty else { return nil }
    let own = networks.map(\.text)
    let wanted = own.isEmpty ? ["default"] : own
    return wanted.contains { key in
      let declared = parts.lazy.compactMap { $0.file.root["networks"]?[key] }.first
      if let name = declared?["name"]?.text { return name == network }
      let isExternal = declared?["external"].map { $0.text != "false" } ?? false
      return network == (isExternal ? key : "\(project)_\(key)")
    }
  }

  /// What its file needs so that one of its lists has one more entry; nil if that is not in a form that can be added to.
  public func adding(_ entry: String, to key: String) -> Replacement? {
    guard let (file, service) = parts.last(where: { $0.service[key] != nil }) ?? parts.last else { return nil }
    guard let list = service.pairs.first(where: { $0.key == key }) else {
      guard let own = file.root["services"]?.pairs.first(where: { $0.key == name }),
        let first = service.pairs.first, first.place.line > own.place.line
      else { return nil }
      let indent = String(repeating: " ", count: first.place.column - 1)
      return file.replacement(
        of: own.place.line, with: [.line, .text("\(indent)\(key):"), .text("\(indent)  - \(entry)")])
    }
    guard let first = list.value.items.first, first.place.line > list.place.line,
      let indent = file.line(first.place.line)?.prefix(while: { $0 == " " })
    else { return nil }
    return file.replacement(of: list.place.line, with: [.line, .text("\(indent)- \(entry)")])
  }

  /// What its file needs so that a variable of its environment has that value; nil if that is not in a form that can be
  /// changed.
  public func variable(_ variable: String, to value: String) -> Replacement? {
    guard let (file, service) = parts.last(where: { $0.service["environment"] != nil }),
      let environment = service.pairs.first(where: { $0.key == "environment" })
    else { return adding("\(variable)=\(value)", to: "environment") }
    if let pair = environment.value.pairs.first(where: { $0.key == variable }) {
      return pair.value.text.flatMap { file.span(of: $0, in: pair.value) }.map { $0.replacement(value) }
    }
    for item in environment.value.items {
      guard let text = item.text, text.hasPrefix(variable + "=") else { continue }
      let old = String(text.dropFirst(variable.count + 1))
      return file.span(of: old, behind: variable + "=", in: item).map { $0.replacement(value) }
    }
    guard let first = environment.value.pairs.first, first.place.line > environment.place.line else {
      return adding("\(variable)=\(value)", to: "environment")
    }
    let indent = String(repeating: " ", count: first.place.column - 1)
    return file.replacement(of: environment.place.line, with: [.line, .text("\(indent)\(variable): \"\(value)\"")])
  }

  /// What its file needs so that a word of its command is another one; nil if no file has it on a line of its own words.
  public func commanding(_ word: String, as other: String) -> Replacement? {
    for (file, service) in parts.reversed() {
      for node in ["command", "entrypoint"].compactMap({ service[$0] }) {
        for scalar in [node] + node.items where scalar.text?.contains(word) == true {
          if let span = file.span(of: word, in: scalar) { return span.replacement(other) }
        }
      }
    }
    return nil
  }

  /// Where the tag of its image stands; nil if the file names none.
  public var tag: Span? {
    guard let (file, service) = parts.last(where: { $0.service["image"] != nil }), let image = service["image"],
      let text = image.text
    else { return nil }
    let name = text.withoutDigestAndTag
    let tag = text.dropFirst(name.count)
    return tag.hasPrefix(":") ? file.span(of: String(tag.dropFirst()), behind: name + ":", in: image) : nil
  }

  private func texts(_ key: String) -> [(text: String, span: Span?)] {
    parts.reversed().flatMap { file, service in
      (service[key]?.items ?? []).compactMap { item in
        item.text.map { (text: $0, span: file.span(of: $0, in: item)) }
      }
    }
  }
}

extension [String: String] {
  /// Project, service and files of a container that Compose made, by its labels.
  fileprivate var compose: (project: String, service: String, files: [String])? {
    guard let project = self["com.docker.compose.project"], let service = self["com.docker.compose.service"],
      let files = self["com.docker.compose.project.config_files"]
    else { return nil }
    let folder = self["com.docker.compose.project.working_dir"]
    let paths = files.split(separator: ",").compactMap { file -> String? in
      if file.hasPrefix("/") { return String(file) }
      return folder.map { "\($0)/\(file)" }
    }
    return (project, service, paths)
  }
}

extension FactName {
  public static let composeProject: FactName = "compose.project"
  public static let composeService: FactName = "compose.service"
  public static let composeFile: FactName = "compose.file"
  public static let composeFiles: FactName = "compose.files"
  public static let composeProgram: FactName = "compose.program"
  public static let composeUnmade: FactName = "compose.unmade"

  public static let ofCompose: [FactName] = [
    .composeProject, .composeService, .composeFile, .composeFiles, .composeProgram,
  ]
}

extension World {
  /// What a container's labels tell of Compose; empty for one that Compose did not make.
  public func compose(_ labels: [String: String]) async -> Facts {
    guard let (project, service, all) = labels.compose else { return [:] }
    // A program with a web page keeps its Compose files to itself: no command of this machine finds them.
    var files = all
    for file in all.prefix(8) where (try? await see(FileGlob(pattern: file)))?.isEmpty == true { files = [] }
    return [
      .composeProject: project, .composeService: service, .composeFile: files.first ?? "",
      .composeFiles: files.count > 1 ? files.joined(separator: ":") : "",
      .composeProgram: await composeProgram,
    ]
  }

  /// The service of the Compose files of a container with these labels that would have this name, if no container was made
  /// of it: as `compose`, and `compose.unmade`.
  public func unmade(_ name: String, beside labels: [String: String]) async -> Facts {
    guard let (project, _, files) = labels.compose, let containers = try? await containers() else { return [:] }
    for path in files.prefix(8) {
      guard let sight = try? await see(FileRead(path: path)), let file = DocumentFile(sight.text, path: path) else {
        continue
      }
      let service = file.root["services"]?.pairs.first { service in
        let names = [service.key, "\(project)-\(service.key)-1", "\(project)_\(service.key)_1"]
        return names.contains(name) || service.value["container_name"]?.text == name
      }?.key
      guard let service, !containers.contains(where: { $0.project == project && $0.service == service }) else {
        continue
      }
      return await compose(labels.merging(["com.docker.compose.service": service]) { $1 }).merging([
        .composeUnmade: "yes"
      ])
    }
    return [:]
  }

  /// Compose is a plugin of the docker command in most places; Debian has it as a program of its own.
  private var composeProgram: String {
    get async {
      if await engineCommand == "podman" {
        return await has("/usr/bin/podman-compose") ? "podman-compose" : "podman compose"
      }
      for folder in ["/usr/libexec", "/usr/lib", "/usr/local/lib", "/usr/local/libexec"] {
        if await has(folder + "/docker/cli-plugins/docker-compose") { return "docker compose" }
      }
      for folder in ["/usr/bin", "/usr/local/bin"] where await has(folder + "/docker-compose") {
        return "docker-compose"
      }
      return "docker compose"
    }
  }

  private func has(_ path: String) async -> Bool { (try? await see(FileGlob(pattern: path)))?.isEmpty == false }
}

extension DocumentFile {
  fileprivate enum Part {
    /// The line itself.
    case line
    case text(String)
  }

  fileprivate func replacement(of number: Int, with parts: [Part]) -> Replacement? {
    wholeLine(number).map { line in
      let lines = parts.map { part in
        switch part {
        case .line: line.text
        case .text(let text): text
        }
      }
      return .init(line: line, lines: lines.joined(separator: "\n"))
    }
  }
}

extension Span {
  /// The line with another value in it.
  fileprivate func replacement(_ value: String) -> Replacement {
    .init(line: self, lines: head + value + tail)
  }
}

extension String {
  fileprivate var unlessBlank: String? { contains { !$0.isWhitespace } ? self : nil }
}
