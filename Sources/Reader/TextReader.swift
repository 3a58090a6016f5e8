import Flow
import Model
import YAML

/// Reads the sentences of the checks, the signs and the program's own words.
struct TextReader {
  static let checks = "Flows/checks.yaml"
  static let signs = "Flows/signs/"
  static let words = "Screens/words.yaml"
  static let glossary = "Screens/glossary.yaml"

  let problems: Problems

  // MARK: Flows/checks.yaml

  func checks(_ root: YAML.Node, shapes: [String: CheckShape], into draft: inout Draft) {
    let fields = root.fields(problems)
    for field in fields {
      let record = field.value.record(["title", "hop", "by-hand", "outcomes"], problems)
      let shape = shapes[field.name.text]
      if shape == nil {
        problems.add(
          field.name.at, "there is no check '\(field.name.text)'", field.name.text, notIn: shapes.keys)
      }
      let title = record.requiredText("title")
      let hop = record.requiredText("hop")
      if let hop { draft.usedHops.append(hop) }
      draft.checks[field.name.text] = CheckText(
        title: title?.text ?? "", hop: hop?.text ?? "",
        byHand: record.text("by-hand").map { draft.template($0, .check(field.name.text)) },
        outcomes: outcomes(record, field.name, shape, into: &draft))
    }
    for id in shapes.keys where draft.checks[id] == nil {
      problems.add(root.at, "the check '\(id)' is missing")
    }
  }

  private func outcomes(
    _ record: Record, _ check: Text, _ shape: CheckShape?, into draft: inout Draft
  ) -> [String: CheckText.Outcome] {
    var outcomes: [String: CheckText.Outcome] = [:]
    for field in record.required("outcomes")?.fields(problems) ?? [] {
      if let shape, !shape.outcomes.contains(field.name.text) {
        problems.add(
          field.name.at, "'\(shape.id)' does not end in '\(field.name.text)'", field.name.text,
          notIn: shape.outcomes)
      }
      let texts = field.value.texts(problems)
      let mark = texts.first?.choice(of: Diagnosis.Evidence.Mark.allCases, what: "mark", problems)
      if texts.count < 2 { problems.add(field.value.at, "a mark and at least one sentence belong here") }
      outcomes[field.name.text] = CheckText.Outcome(
        mark: mark ?? .unknown, sentences: texts.dropFirst().map { draft.template($0, .check(check.text)) })
    }
    for outcome in shape?.outcomes ?? [] where outcomes[outcome] == nil {
      problems.add(check.at, "'\(check.text)' can also end in '\(outcome)'; give it a mark and a sentence")
    }
    return outcomes
  }

  // MARK: Flows/signs/NAME.yaml

  /// Adds the signs of one file to those of the files before it.
  func signs(_ root: YAML.Node, into draft: inout Draft) {
    let file = root.record(
      [
        "proxies", "answers", "formats", "quiet", "pasted", "single", "silent", "parts", "lines", "timers",
        "last-words", "denied", "endings", "listen-names", "managers",
      ], problems)
    draft.signs.proxies += items(file, "proxies").compactMap { proxy($0, into: &draft) }
    draft.signs.answers += items(file, "answers").map { answer($0, into: &draft) }
    draft.signs.formats += items(file, "formats").compactMap { format($0, into: &draft) }
    let quiet = file.texts("quiet")
    draft.patterns += quiet
    draft.signs.quiet += quiet.map(\.text)
    let parts = SharedParts(file["parts"], problems)
    let silent = file.texts("silent").map(parts.filledIn)
    draft.patterns += silent
    draft.signs.silent += silent.map(\.text)
    draft.signs.lines += items(file, "lines").compactMap { line($0, parts, into: &draft) }
    parts.complainOfUnused(problems)
    draft.signs.pasted.formUnion(file.texts("pasted").map(\.text))
    draft.signs.single.formUnion(file.texts("single").map(\.text))
    draft.signs.timers += items(file, "timers").compactMap(timer)
    let lastWords = file.texts("last-words")
    draft.patterns += lastWords
    draft.signs.lastWords += lastWords.map(\.text)
    let denied = file.texts("denied")
    draft.patterns += denied
    draft.signs.denied += denied.map(\.text)
    draft.signs.endings += items(file, "endings").compactMap { ending($0, into: &draft) }
    draft.signs.managers += items(file, "managers").compactMap { manager($0, into: &draft) }
    let listenNames = file.texts("listen-names")
    draft.patterns += listenNames
    draft.signs.listenNames += listenNames.map(\.text)
  }

  private func items(_ file: Record, _ key: String) -> [YAML.Node] { file[key]?.items(problems) ?? [] }

  private func proxy(_ node: YAML.Node, into draft: inout Draft) -> Signs.Proxy? {
    let record = node.record(
      ["kind", "name", "images", "processes", "logs-like", "layout", "admin-port", "service"], problems)
    let images = record.texts("images")
    draft.patterns += images
    guard let kind = record.requiredText("kind"), let name = record.requiredText("name") else { return nil }
    if draft.kinds[kind.text] == nil { draft.kinds[kind.text] = kind.at }
    return Signs.Proxy(
      kind: kind.text, name: name.text, images: images.map(\.text), processes: record.texts("processes").map(\.text),
      logsLike: record.text("logs-like")?.text, layout: record.text("layout")?.text,
      adminPort: record.text("admin-port").flatMap { UInt16($0.text) }, service: record["service"].flatMap(service))
  }

  private func service(_ node: YAML.Node) -> Signs.Service? {
    let record = node.record(["unit", "command", "main"], problems)
    guard let unit = record.requiredText("unit"), let main = record.requiredText("main") else { return nil }
    return Signs.Service(unit: unit.text, command: record.texts("command").map(\.text), main: main.text)
  }

  private func answer(_ node: YAML.Node, into draft: inout Draft) -> Signs.Answer {
    let record = node.record(["by", "means", "status", "headers", "body"], problems)
    if record["by"] == nil, record["means"] == nil { problems.add(node.at, "'by' or 'means' belongs here") }
    if record["headers"] == nil, record["body"] == nil { problems.add(node.at, "'headers' or 'body' belongs here") }
    var headers: [String: String] = [:]
    for field in record["headers"]?.fields(problems) ?? [] {
      guard let regex = field.value.text(problems) else { continue }
      draft.patterns.append(regex)
      headers[field.name.text.lowercased()] = regex.text
    }
    let (status, body) = (record.text("status"), record.text("body"))
    draft.patterns += [status, body].compactMap { $0 }
    return Signs.Answer(
      by: record.text("by")?.text, means: record.text("means")?.text, status: status?.text, headers: headers,
      body: body?.text)
  }

  private func format(_ node: YAML.Node, into draft: inout Draft) -> Signs.Format? {
    let record = node.record(["proxy", "pattern"], problems)
    guard let proxy = record.requiredText("proxy"), let pattern = record.requiredText("pattern") else { return nil }
    draft.patterns.append(pattern)
    return Signs.Format(proxy: proxy.text, pattern: pattern.text)
  }

  private func line(_ node: YAML.Node, _ parts: SharedParts, into draft: inout Draft) -> Signs.Line? {
    let record = node.record(["proxy", "pattern", "shows", "meaning", "causes"], problems)
    let causes = record.texts("causes")
    for cause in causes { draft.link(to: .page, cause) }
    var texts = ["proxy", "pattern", "shows", "meaning"].map(record.requiredText)
    texts[1] = texts[1].map(parts.filledIn)
    if let pattern = texts[1] { draft.patterns.append(pattern) }
    guard let proxy = texts[0], let pattern = texts[1], let shows = texts[2], let meaning = texts[3] else { return nil }
    return Signs.Line(
      proxy: proxy.text, pattern: pattern.text, shows: shows.text, meaning: meaning.text, causes: causes.map(\.text))
  }

  private func ending(_ node: YAML.Node, into draft: inout Draft) -> Signs.Ending? {
    let record = node.record(["reason", "pattern"], problems)
    guard let reason = record.requiredText("reason"), let pattern = record.requiredText("pattern") else { return nil }
    draft.patterns.append(pattern)
    return Signs.Ending(reason: reason.text, pattern: pattern.text)
  }

  private func manager(_ node: YAML.Node, into draft: inout Draft) -> Signs.Manager? {
    let record = node.record(["kind", "labels", "path"], problems)
    if record["labels"] == nil, record["path"] == nil { problems.add(node.at, "'labels' or 'path' belongs here") }
    let labels = record["labels"]?.fields(problems) ?? []
    let path = record.text("path")
    draft.patterns += labels.compactMap { $0.value.text(problems) } + [path].compactMap { $0 }
    return record.requiredText("kind").map { kind in
      Signs.Manager(
        kind: kind.text,
        labels: Dictionary(labels.map { ($0.name.text, $0.value.text(problems)?.text ?? "") }) { first, _ in first },
        path: path?.text)
    }
  }

  private func timer(_ node: YAML.Node) -> Signs.Timer? {
    let record = node.record(["proxy", "status", "from", "to", "name"], problems)
    let texts = ["proxy", "status", "from", "to", "name"].map(record.requiredText)
    guard let proxy = texts[0], let status = texts[1], let from = texts[2], let to = texts[3], let name = texts[4]
    else {
      return nil
    }
    guard let code = Int(status.text), let least = Double(from.text), let most = Double(to.text), least <= most else {
      problems.add(node.at, "'status' is a number, 'from' and 'to' are seconds, the lower first")
      return nil
    }
    return Signs.Timer(proxy: proxy.text, status: code, range: least...most, name: name.text)
  }

  // MARK: Screens/words.yaml

  func words(_ root: YAML.Node, into draft: inout Draft) {
    for field in root.fields(problems) {
      draft.words[field.name.text] = field.value.text(problems).map { Template($0.text) }
    }
  }

  // MARK: Screens/glossary.yaml

  /// An explanation that is longer does not stay one or two plain sentences.
  private static let longestExplanation = 240

  func glossary(_ root: YAML.Node, into draft: inout Draft) {
    var places: [String: SourcePlace] = [:]
    for field in root.fields(problems) {
      let forms = field.name.text.split(separator: "|", omittingEmptySubsequences: false).map { String($0.trimmed) }
      for form in forms {
        if form.isEmpty {
          problems.add(field.name.at, "a form of '\(field.name.text)' is empty")
        } else if let earlier = places[form] {
          problems.add(field.name.at, "'\(form)' is already explained at \(earlier.file):\(earlier.line)")
        }
        places[form] = field.name.at
      }
      guard let text = field.value.text(problems) else { continue }
      if text.text.count > Self.longestExplanation {
        problems.add(
          text.at, "this explanation has \(text.text.count) characters; \(Self.longestExplanation) are enough")
      }
      draft.glossary.append((Glossary.Word(forms: forms, explanation: text.text), field.name.at))
    }
  }
}
