import Flow
import Model
import YAML

/// Reads `Flows/apps/NAME.yaml`.
struct AppReader {
  static let folder = "Flows/apps/"

  let problems: Problems

  /// Keys whose values may be known of an app, each from a source that the file names.
  private static let values =
    ["images", "processes", "units", "port", "tls-port", "start", "ready", "health", "websockets"]
    + App.Purpose.allCases.map(\.rawValue)

  /// Adds the app of one file; another file may have claimed one of its images.
  func app(_ root: YAML.Node, into draft: inout Draft) {
    for image in root["images"]?.texts(problems) ?? [] {
      if let first = draft.images[image.text] {
        problems.add(image.at, "'\(image.text)' is already an image of \(first.file):\(first.line)")
      }
      draft.images[image.text] = image.at
    }
    if let app = app(root) { draft.apps.append(app) }
  }

  func app(_ root: YAML.Node) -> App? {
    let record = root.record(["name", "sources"] + Self.values, problems)
    if record["images"] == nil, record["processes"] == nil {
      problems.add(root.at, "'images' or 'processes' belongs here: by what is it recognised?")
    }
    for image in record.texts("images") where image.text.contains(where: { ":@ ".contains($0) }) {
      problems.add(image.at, "an image's name stands here without its registry and tag")
    }
    sources(record)
    var settings: [App.Purpose: App.Setting] = [:]
    for purpose in App.Purpose.allCases {
      settings[purpose] = record[purpose.rawValue].flatMap { setting($0, for: purpose) }
    }
    guard let name = record.requiredText("name") else { return nil }
    return App(
      name: name.text, images: record.texts("images").map(\.text), processes: record.texts("processes").map(\.text),
      units: record.texts("units").map(\.text), port: number("port", record), tlsPort: number("tls-port", record),
      settings: settings, startSeconds: number("start", record).map { Int($0) },  // fits: a port's range
      readySign: record.text("ready")?.text, healthPath: path("health", record),
      needsWebSockets: flag("websockets", record))
  }

  /// Where each value is from: `URL: [port, listen]`.
  private func sources(_ record: Record) {
    var sourced: Set<String> = []
    for field in record.required("sources")?.fields(problems) ?? [] {
      if !field.name.text.hasPrefix("https://") { problems.add(field.name.at, "a source is an address: https://…") }
      for key in field.value.texts(problems) {
        if record[key.text] == nil || !Self.values.contains(key.text) {
          problems.add(key.at, "'\(key.text)' does not stand here", key.text, notIn: record.keys)
        }
        sourced.insert(key.text)
      }
    }
    for key in Self.values where !sourced.contains(key) {
      if let field = record.field(key) { problems.add(field.name.at, "no source is named for '\(key)'") }
    }
  }

  private func setting(_ node: YAML.Node, for purpose: App.Purpose) -> App.Setting? {
    let ways = App.Setting.Way.allCases
    let record = node.record(ways.map(\.rawValue) + ["value", "file"], problems)
    let given = ways.filter { record[$0.rawValue] != nil }
    guard given.count == 1, let way = given.first, let name = record.text(way.rawValue) else {
      problems.add(node.at, "one of \(ways.map { "'\($0.rawValue)'" }.joined(separator: ", ")) belongs here")
      return nil
    }
    if way == .key {
      _ = record.required("file")
    } else if let file = record.field("file") {
      problems.add(file.name.at, "only a 'key' stands in a file")
    }
    if purpose == .listen { _ = record.required("value") }
    return App.Setting(
      way: way, name: name.text, value: record.text("value")?.text, file: record.text("file")?.text)
  }

  /// A port, or seconds.
  private func number(_ key: String, _ record: Record) -> UInt16? {
    guard let text = record.text(key) else { return nil }
    if let number = UInt16(text.text), number > 0 { return number }
    problems.add(text.at, "a number from 1 to \(UInt16.max) belongs here")
    return nil
  }

  private func path(_ key: String, _ record: Record) -> String? {
    guard let text = record.text(key) else { return nil }
    if !text.text.hasPrefix("/") { problems.add(text.at, "a path starts with '/'") }
    return text.text
  }

  private func flag(_ key: String, _ record: Record) -> Bool {
    guard let text = record.text(key) else { return false }
    if text.text != "yes" { problems.add(text.at, "'yes' belongs here, or nothing is said") }
    return true
  }
}

extension Apps {
  /// Those of files that have been linted before, read when somebody first asks for an app.
  init(_ files: [(path: String, text: String)]) {
    let known = Later {
      let reader = AppReader(problems: Problems())
      return files.filter { $0.path.hasPrefix(AppReader.folder) }
        .compactMap { YAML.read($0.text, file: $0.path).root.flatMap(reader.app) }
    }
    self.init { known.wrappedValue }
  }
}
