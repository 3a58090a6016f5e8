import Flow
import Model

/// Which facts may be known where: by a check or an answer on some path through the tree.
struct Paths {
  /// Facts that may be known when a node is reached.
  private var before: [String: Set<FactName>] = [:]
  /// Facts that may be known, at the end, on a path that names the cause.
  private var causes: [String: Set<FactName>] = [:]
  private var checks: [String: Set<FactName>] = [:]

  init(_ tree: Tree, _ shapes: [String: CheckShape]) {
    let order = Self.order(tree)
    before[tree.start] = Lint.given
    // In this order one round is enough; a tree with a circle takes more.
    while order.reduce(false, { changed, node in spread(node, shapes) || changed }) {}
    let after = Self.after(order, shapes)
    for node in order {
      for branch in node.branches {
        let known = (before[node.id] ?? []).union(Self.supplied(by: node, branch, shapes))
        if let cause = branch.names?.cause {
          causes[cause, default: []].formUnion(known.union(branch.go.flatMap { after[$0] } ?? []))
        }
        if case .check(let id) = node.looks { checks[id, default: []].formUnion(known) }
      }
    }
    for shape in shapes.values { checks[shape.id, default: Lint.given].formUnion(shape.needs + shape.learns) }
  }

  /// The name of what is reached without the fact; nil if some path supplies it.
  func cannotSupply(_ use: Draft.Use) -> String? {
    let (name, known): (String, Set<FactName>?) =
      switch use.scope {
      case .page(let cause): (cause, causes[cause])
      case .check(let check): (check, checks[check])
      case .node(let node): (node, before[node])
      case .anywhere: ("", nil)
      }
    // Nil: no path leads there at all, which is a problem of its own.
    return known.flatMap { $0.contains(use.fact) ? nil : name }
  }

  /// All facts that the tree as a whole can supply.
  static func supplied(by tree: Tree, _ shapes: [String: CheckShape]) -> Set<FactName> {
    tree.nodes.values.reduce(into: Lint.given) { facts, node in
      switch node.looks {
      case .check(let id): facts.formUnion(shapes[id]?.learns ?? [])
      case .fact(let name, _): facts.insert(name)
      }
    }
  }

  /// Carries what is known at a node to the next ones; true if that was news.
  private mutating func spread(_ node: Node, _ shapes: [String: CheckShape]) -> Bool {
    guard let known = before[node.id] else { return false }
    var isNews = false
    for branch in node.branches {
      guard let go = branch.go else { continue }
      let next = known.union(Self.supplied(by: node, branch, shapes))
      let count = before[go]?.count ?? -1
      before[go, default: []].formUnion(next)
      isNews = isNews || before[go]?.count != count
    }
    return isNews
  }

  /// Facts that may still come at and after each node.
  private static func after(_ order: [Node], _ shapes: [String: CheckShape]) -> [String: Set<FactName>] {
    var after: [String: Set<FactName>] = [:]
    for node in order.reversed() {
      after[node.id] = node.branches.reduce(into: []) { facts, branch in
        facts.formUnion(supplied(by: node, branch, shapes))
        facts.formUnion(branch.go.flatMap { after[$0] } ?? [])
      }
    }
    return after
  }

  private static func supplied(
    by node: Node, _ branch: Branch, _ shapes: [String: CheckShape]
  ) -> [FactName] {
    switch node.looks {
    case .check(let id): shapes[id]?.learns ?? []
    case .fact(let name, _): branch.key == Node.unsure ? [] : [name]
    }
  }

  /// The nodes that the start leads to, each before those it leads to, as far as there is no circle.
  private static func order(_ tree: Tree) -> [Node] {
    var seen: Set<String> = []
    var order: [Node] = []
    var path: [(node: Node, next: Int)] = []
    func enter(_ id: String) {
      guard let node = tree.nodes[id], seen.insert(id).inserted else { return }
      path.append((node, 0))
    }
    enter(tree.start)
    while let (node, next) = path.last {
      if next == node.branches.count {
        order.append(node)
        path.removeLast()
      } else {
        path[path.count - 1].next += 1
        if let go = node.branches[next].go { enter(go) }
      }
    }
    return order.reversed()
  }
}
