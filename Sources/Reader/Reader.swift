public import Flow
import Markdown
public import Model
import YAML

public struct Problem: Sendable { public let description: String }
public enum Reader {
  public static var builtIn: [(path: String, text: String)] { embeddedFiles }
  public static func overlay(_ a: [(path: String, text: String)], directory: String) throws -> [(path: String, text: String)] { a }
  static func branch(_ key: String, _ y: YAML) -> Branch {
    var d: [String: String] = [:]
    for (k, v) in y.map ?? [] { d[k.text ?? ""] = v.text }
    return Branch(key: key, text: d["text"].map { Template($0) }, names: d["cause"].map { .init(cause: $0, confidence: Confidence(rawValue: d["confidence"] ?? "") ?? .possible) }, go: d["go"], end: d["end"].flatMap { Diagnosis.Verdict(rawValue: $0) }, at: SourcePlace(file: "", line: y.line, column: y.column))
  }
  static func when(_ s: Substring) -> [Condition] {
    s.split(separator: ",").map { part in
      let t = part.trimmingPrefix { $0 == " " }
      if t.hasPrefix("!") { return Condition(fact: FactName(String(t.dropFirst())), test: .unknown) }
      for (op, isNot) in [(" != ", true), (" = ", false)] {
        if let r = t.firstRange(of: op) {
          let vals = t[r.upperBound...].split(separator: "|").map { String($0.trimmingPrefix { $0 == " " }).split(separator: " ").joined(separator: " ") }
          return Condition(fact: FactName(String(t[..<r.lowerBound])), test: isNot ? .noneOf(vals) : .oneOf(vals))
        }
      }
      return Condition(fact: FactName(String(t)), test: .known)
    }
  }
  static func steps(_ md: Markdown, heading: String, parts: [String: String], outer: [Condition], out: inout [(String, [Page.Step])], expl: inout [Page.Paragraph], top: Bool) {
    var w: [Condition] = outer
    var text: [String] = []
    var h = heading
    var tw: [Condition] = []
    func flush() { if !text.isEmpty { if out.isEmpty { for t in text { expl.append(.init(text: Template(t), when: tw)) } } else { out[out.count-1].1.append(.init(text: Template(text.joined(separator: " ")), when: tw, body: .none, place: nil, changes: false)) }; text = [] } }
    for p in md.blocks {
      switch p.block {
      case .heading(_, let t): flush(); h = t; out.append((t, [])); w = outer
      case .comment(let c):
        flush()
        if c.hasPrefix("when:") { w = outer + when(c.dropFirst(5)) } else if c == "always" { w = outer }
        else if c.hasPrefix("part:") { let rest = c.dropFirst(5).drop { $0 == " " }; let name = String(rest.prefix { $0 != " " }); let cond = rest.firstRange(of: "when:").map { when(rest[$0.upperBound...]) } ?? []; steps(Markdown(parts[name] ?? ""), heading: h, parts: parts, outer: outer + cond, out: &out, expl: &expl, top: false); w = outer }
      case .paragraph(let t): tw = w; if out.isEmpty { text = [t]; flush() } else { text.append(t) }
      case .fence(let info, let body):
        let words = info.split(separator: " ").map(String.init)
        let b = body.hasSuffix("\n") ? String(body.dropLast()) : body
        var opt: [String: String] = [:]
        for x in words { if let e = x.firstIndex(of: "=") { opt[String(x[..<e])] = String(x[x.index(after: e)...]) } }
        let changes = words.contains("changes")
        let t = Template(text.isEmpty ? h : text.joined(separator: " ")); text = []
        switch words.first {
        case "sh": out[out.count-1].1.append(.init(text: t, when: w, body: .command(Template(b)), place: words.count > 1 ? Diagnosis.Place(rawValue: words[1]) : nil, changes: changes))
        case "diff": out[out.count-1].1.append(.init(text: t, when: w, body: .patch(file: Template(opt["file"] ?? ""), line: Template(opt["line"] ?? ""), lines: b.split(separator: "\n", omittingEmptySubsequences: false).map { Template(String($0)) }), place: .file, changes: changes))
        default: out[out.count-1].1.append(.init(text: t, when: w, body: .form(Template(b)), place: .webUI, changes: changes))
        }
      }
    }
    flush()
  }
  public static func read(files: [(path: String, text: String)], shapes: [CheckShape], checkingPatterns: Bool = false) -> (catalog: Catalog?, problems: [Problem]) {
    var nodes: [String: Node] = [:]; var start = ""; var pages: [String: Page] = [:]; var checks: [String: CheckText] = [:]; var words: [String: Template] = [:]; var signs = Signs(); var problems: [Problem] = []
    var parts: [String: String] = [:]
    for f in files where f.path.hasPrefix("Screens/parts/") { parts[String(f.path.dropFirst(14).dropLast(3))] = f.text }
    func dict(_ y: YAML?) -> [String: YAML] { var d: [String: YAML] = [:]; for (k, v) in y?.map ?? [] { d[k.text ?? ""] = v }; return d }
    for f in files {
      do {
        if f.path == "Flows/checks.yaml" {
          for (k, v) in try YAML.parse(f.text).map ?? [] { let d = dict(v); var o: [String: CheckText.Outcome] = [:]
            for (n, l) in dict(d["outcomes"]) { let t = (l.list ?? []).compactMap(\.text); o[n] = .init(mark: Diagnosis.Evidence.Mark(rawValue: t.first ?? "") ?? .unknown, sentences: t.dropFirst().map { Template($0) }) }
            checks[k.text ?? ""] = CheckText(title: d["title"]?.text ?? "", hop: d["hop"]?.text ?? "", byHand: d["by-hand"]?.text.map { Template($0) }, outcomes: o) }
        } else if f.path == "Flows/signs.yaml" {
          let d = dict(try YAML.parse(f.text))
          signs.proxies = (d["proxies"]?.list ?? []).map { let e = dict($0); return .init(kind: e["kind"]?.text ?? "", name: e["name"]?.text ?? "", images: (e["images"]?.list ?? []).compactMap(\.text), processes: (e["processes"]?.list ?? []).compactMap(\.text)) }
          signs.answers = (d["answers"]?.list ?? []).map { let e = dict($0); return .init(by: e["by"]?.text, means: e["means"]?.text, headers: dict(e["headers"]).compactMapValues(\.text), body: e["body"]?.text) }
          signs.lines = (d["lines"]?.list ?? []).map { let e = dict($0); return .init(proxy: e["proxy"]?.text ?? "", pattern: e["pattern"]?.text ?? "", shows: e["shows"]?.text ?? "", meaning: e["meaning"]?.text ?? "", causes: []) }
        } else if f.path.hasPrefix("Flows/") {
          let d = dict(try YAML.parse(f.text)); if let s = d["start"]?.text { start = s }
          for (k, v) in d["nodes"]?.map ?? [] { let e = dict(v); let id = k.text ?? ""
            let br = ((e["outcomes"] ?? e["answers"])?.map ?? []).map { branch($0.key.text ?? "", $0.value) }
            let q = e["ask"].map { Question(text: Template($0.text ?? ""), why: Template(e["why"]?.text ?? ""), findOut: Template(e["find-out"]?.text ?? "")) }
            nodes[id] = Node(id: id, looks: e["check"].map { .check($0.text ?? "") } ?? .fact(FactName(e["fact"]?.text ?? ""), q), branches: br, at: SourcePlace(file: f.path, line: 1, column: 1)) }
        } else if f.path == "Screens/words.yaml" { for (k, v) in try YAML.parse(f.text).map ?? [] { words[k.text ?? ""] = Template(v.text ?? "") }
        } else if f.path.hasPrefix("Screens/"), !f.path.hasPrefix("Screens/parts/") {
          let md = Markdown(f.text); let d = dict(try YAML.parse(md.frontMatter ?? "")); let c = d["cause"]?.text ?? ""
          var out: [(String, [Page.Step])] = []; var ex: [Page.Paragraph] = []
          steps(md, heading: "", parts: parts, outer: [], out: &out, expl: &ex, top: true)
          pages[c] = Page(cause: c, title: Template(d["title"]?.text ?? ""), hides: (d["hides"]?.list ?? []).compactMap(\.text), explanation: ex, sections: out.map { .init(heading: $0.0, steps: $0.1) }, prevention: (d["prevention"]?.list ?? []).compactMap { $0.text.map { Template($0) } }, sources: (d["sources"]?.list ?? []).compactMap(\.text))
        }
      } catch { problems.append(Problem(description: "\(f.path): \(error)")) }
    }
    return (problems.isEmpty ? Catalog(tree: Tree(start: start, nodes: nodes), pages: pages, checks: checks, words: words, signs: signs) : nil, problems)
  }
}
extension Tree { public func dot(_ c: Catalog) -> String { "" }; public func mermaid(_ c: Catalog) -> String { "" } }
