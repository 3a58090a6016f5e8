public import Flow
import Model

/// The tree as a drawing: nodes in the order of their ids, causes and ends behind them.
extension Tree {
  /// For Graphviz.
  public func dot(_ catalog: Catalog) -> String {
    let shapes: [Drawing.Kind: String] = [.check: "box", .fact: "diamond", .cause: "note", .end: "oval"]
    let drawing = Drawing(self, catalog)
    let boxes = drawing.boxes.map { "  \($0.id.quoted) [shape=\(shapes[$0.kind] ?? ""), label=\($0.label.quoted)];" }
    let arrows = drawing.arrows.map { "  \($0.from.quoted) -> \($0.to.quoted) [label=\($0.label.quoted)];" }
    return (["digraph wizard502 {", "  node [fontname=\"sans-serif\"];"] + boxes + arrows + ["}", ""])
      .joined(separator: "\n")
  }

  /// For Mermaid, which GitHub draws.
  public func mermaid(_ catalog: Catalog) -> String {
    let frames: [Drawing.Kind: (String, String)] = [
      .check: ("[", "]"), .fact: ("{", "}"), .cause: ("([", "])"), .end: ("((", "))"),
    ]
    let drawing = Drawing(self, catalog)
    // Mermaid takes words such as `end` as its own, so boxes are numbered.
    let ids = Dictionary(drawing.boxes.enumerated().map { ($0.element.id, "n\($0.offset)") }) { first, _ in first }
    let boxes = drawing.boxes.map { box in
      let (left, right) = frames[box.kind] ?? ("", "")
      return "  \(ids[box.id] ?? "")\(left)\(box.label.entities)\(right)"
    }
    let arrows = drawing.arrows.compactMap { arrow in
      ids[arrow.to].map { "  \(ids[arrow.from] ?? "") -->|\(arrow.label.entities)| \($0)" }
    }
    return (["flowchart TD"] + boxes + arrows + [""]).joined(separator: "\n")
  }
}

private struct Drawing {
  enum Kind { case check, fact, cause, end }
  struct Box {
    let id: String
    let kind: Kind
    let label: String
  }
  struct Arrow {
    let from: String
    let to: String
    let label: String
  }

  var boxes: [Box]
  var arrows: [Arrow] = []

  init(_ tree: Tree, _ catalog: Catalog) {
    let nodes = tree.nodes.values.sorted { $0.id < $1.id }
    boxes = nodes.map { node in
      switch node.looks {
      case .check(let id): Box(id: node.id, kind: .check, label: catalog.checks[id]?.title ?? id)
      case .fact(let name, let question):
        Box(id: node.id, kind: .fact, label: question?.text.source ?? name.text)
      }
    }
    var causes: Set<String> = []
    var ends: Set<String> = []
    for node in nodes {
      for branch in node.branches {
        for names in branch.names {
          causes.insert(names.cause)
          arrows.append(
            Arrow(from: node.id, to: "cause " + names.cause, label: "\(branch.written) (\(names.confidence.rawValue))"))
        }
        if let end = branch.end {
          ends.insert(end.rawValue)
          arrows.append(Arrow(from: node.id, to: "end " + end.rawValue, label: branch.written))
        }
        if let follow = branch.follow {
          let on = "goes on at \(tree.follows[follow]?.to.text ?? follow)"
          ends.insert(on)
          arrows.append(Arrow(from: node.id, to: "end " + on, label: branch.written))
        }
        if let go = branch.go { arrows.append(Arrow(from: node.id, to: go, label: branch.written)) }
      }
    }
    boxes += causes.sorted().map {
      Box(id: "cause " + $0, kind: .cause, label: catalog.pages[$0]?.title.source ?? $0)
    }
    boxes += ends.sorted().map { Box(id: "end " + $0, kind: .end, label: $0) }
  }
}

extension String {
  /// A string of the dot language.
  fileprivate var quoted: String {
    "\"" + map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }

  /// A quoted text of Mermaid, which knows entities but no backslashes.
  fileprivate var entities: String {
    "\"" + map { "\"#&<>{}|".contains($0) ? "#\($0.unicodeScalars.first?.value ?? 0);" : String($0) }.joined() + "\""
  }
}
