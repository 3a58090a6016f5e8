import Flow
import Model

/// Which facts may be known where: by a check or an answer on some path through the tree.
struct Paths {
  private let numbers: [FactName: Int]
  private let nothing: FactSet
  /// What each check may bring.
  private var learned: [String: FactSet] = [:]
  /// Facts that may be known when a node is reached.
  private var before: [String: FactSet] = [:]
  /// Facts that may be known, at the end, on a path that names the cause.
  private var causes: [String: FactSet] = [:]
  /// Facts that may be known when the check has ended.
  private var checks: [String: FactSet] = [:]

  /// - Parameters:
  ///   - given: Facts that may be known from the start.
  ///   - facts: All facts that there are.
  init(_ tree: Tree, _ shapes: [String: CheckShape], given: Set<FactName>, facts: Set<FactName>) {
    numbers = Dictionary(zip(facts, 0...)) { first, _ in first }
    nothing = FactSet(count: facts.count)
    let given = set(given)
    for shape in shapes.values {
      learned[shape.id] = set(shape.learns)
      // Its needs were known, else it would not have started.
      checks[shape.id] = given.union(set(shape.needs)).union(set(shape.learns))
    }
    before[tree.start] = given
    let order = Self.order(tree)
    // In this order one round is enough; a tree with a circle takes more.
    while order.reduce(false, { changed, node in spread(node) || changed }) {}
    let after = after(order)
    for node in order {
      guard let known = before[node.id] else { continue }
      for branch in node.branches {
        let known = known.union(supplied(by: node, branch))
        let later = branch.go.flatMap { after[$0] } ?? nothing
        for cause in branch.names.map(\.cause) {
          causes[cause] = (causes[cause] ?? nothing).union(known).union(later)
        }
        if case .check(let id) = node.looks { checks[id] = (checks[id] ?? nothing).union(known) }
      }
    }
  }

  /// The name of what is reached without the fact; nil if some path supplies it.
  func cannotSupply(_ use: Draft.Use) -> String? {
    let (name, known): (String, FactSet?) =
      switch use.scope {
      case .page(let cause): (cause, causes[cause])
      case .check(let check): (check, checks[check])
      case .node(let node): (node, before[node])
      case .anywhere: ("", nil)
      }
    // Nil: no path leads there at all, which is a problem of its own.
    guard let known, let number = numbers[use.fact] else { return nil }
    return known.contains(number) ? nil : name
  }

  /// Carries what is known at a node to the next ones; true if that was news.
  private mutating func spread(_ node: Node) -> Bool {
    guard let known = before[node.id] else { return false }
    var isNews = false
    for branch in node.branches {
      guard let go = branch.go else { continue }
      let next = (before[go] ?? nothing).union(known).union(supplied(by: node, branch))
      isNews = isNews || before[go] != next
      before[go] = next
    }
    return isNews
  }

  /// Facts that may still come at and after each node.
  private func after(_ order: [Node]) -> [String: FactSet] {
    var after: [String: FactSet] = [:]
    for node in order.reversed() {
      after[node.id] = node.branches.reduce(nothing) { facts, branch in
        facts.union(supplied(by: node, branch)).union(branch.go.flatMap { after[$0] } ?? nothing)
      }
    }
    return after
  }

  private func supplied(by node: Node, _ branch: Branch) -> FactSet {
    switch node.looks {
    case .check(let id): learned[id] ?? nothing
    case .fact(let name, _):
      branch.keys.allSatisfy { [Node.unsure, Node.absent].contains($0) }
        ? nothing : set(branch.gives.names.union([name]))
    }
  }

  private func set(_ facts: some Sequence<FactName>) -> FactSet {
    facts.reduce(into: nothing) { set, fact in
      if let number = numbers[fact] { set.insert(number) }
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

/// A set of facts by their numbers: a bit each, as the program reads its flows at every start.
private struct FactSet: Equatable {
  private var words: [UInt64]

  init(count: Int) { words = Array(repeating: 0, count: count / 64 + 1) }

  mutating func insert(_ number: Int) { words[number / 64] |= 1 << (number % 64) }

  func contains(_ number: Int) -> Bool { words[number / 64] & 1 << (number % 64) != 0 }

  func union(_ other: FactSet) -> FactSet {
    var all = self
    for index in words.indices { all.words[index] |= other.words[index] }
    return all
  }
}
