import Flow
import Model

/// What only shows once all files are read: names that must exist, and facts that somebody must supply.
struct Lint {
  private let draft: Draft
  private let tree: Tree
  private let shapes: [String: CheckShape]
  private let problems: Problems

  /// Facts that may be known from the start: also those with which a case goes on.
  private let atStart: Set<FactName>

  init(draft: Draft, tree: Tree, shapes: [String: CheckShape], problems: Problems) {
    self.draft = draft
    self.tree = tree
    self.problems = problems
    // One mistake is enough: a check that does not exist is taken as one that could bring anything.
    let everything = shapes.values.flatMap(\.learns)
    var shapes = shapes
    for case .check(let id) in tree.nodes.values.map(\.looks) where shapes[id] == nil {
      shapes[id] = CheckShape(id: id, needs: [], learns: everything, outcomes: [])
    }
    self.shapes = shapes
    atStart = FactName.start.union(tree.follows.values.flatMap(\.gives.keys))
  }

  func run() {
    links()
    ways()
    reach()
    needs()
    pages()
    recipes()
    facts()
    glossary()
  }

  private func links() {
    for link in draft.links {
      switch link.target {
      case .node where draft.nodes[link.name.text] == nil:
        problems.add(
          link.name.at, "there is no node '\(link.name.text)'", link.name.text, notIn: draft.nodes.keys)
      case .page where starts(.cause)[link.name.text] == nil:
        problems.add(
          link.name.at, "the cause '\(link.name.text)' has no page", link.name.text, notIn: starts(.cause).keys)
      case .weakness where starts(.weakness)[link.name.text] == nil:
        problems.add(
          link.name.at, "the weakness '\(link.name.text)' has no page", link.name.text, notIn: starts(.weakness).keys)
      case .follow where tree.follows[link.name.text] == nil:
        problems.add(
          link.name.at, "there is no way on called '\(link.name.text)'", link.name.text, notIn: tree.follows.keys)
      default: break
      }
    }
  }

  /// Hops and ways on are declared once, used, and have their words.
  private func ways() {
    let names = draft.hops.map(\.text)
    for hop in draft.usedHops + [draft.middle].compactMap(\.self) where !draft.hops.isEmpty && !names.contains(hop.text)
    {
      problems.add(hop.at, "there is no hop '\(hop.text)'", hop.text, notIn: names)
    }
    let looked = Set(draft.checks.values.map(\.hop))
    // A check without a hop, and a file without words, are problems of their own.
    for hop in draft.hops where !draft.words.isEmpty {
      if !looked.contains(hop.text), !looked.contains("") {
        problems.add(hop.at, "no check looks at the hop '\(hop.text)'")
      }
      for word in ["hop.\(hop.text)", "hop.short.\(hop.text)"] where draft.words[word] == nil {
        problems.add(hop.at, "Screens/words.yaml has no '\(word)'")
      }
    }
    let followed = Set(tree.nodes.values.flatMap { $0.branches.compactMap(\.follow) })
    for (name, _) in draft.follows where !followed.contains(name.text) {
      problems.add(name.at, "no branch follows '\(name.text)'")
    }
  }

  /// Nodes that no path reaches, and paths that come back to where they were.
  private func reach() {
    guard draft.start != nil else { return }
    enum Mark { case open, done }
    var marks: [String: Mark] = [:]
    // Each entry: a node on the path, and which of its branches is next.
    var path: [(node: Node, next: Int)] = []
    func enter(_ id: String) {
      guard let node = tree.nodes[id] else { return }
      marks[id] = .open
      path.append((node, 0))
    }
    enter(tree.start)
    while let (node, next) = path.last {
      guard next < node.branches.count else {
        marks[node.id] = .done
        path.removeLast()
        continue
      }
      path[path.count - 1].next += 1
      let branch = node.branches[next]
      guard let go = branch.go else { continue }
      switch marks[go] {
      case nil: enter(go)
      case .open:
        let loop = path.map(\.node.id).drop { $0 != go } + [go]
        problems.add(branch.at, "this leads in a circle: \(loop.joined(separator: " → "))")
      case .done: break
      }
    }
    for node in tree.nodes.values where marks[node.id] == nil {
      problems.add(node.at, "no path leads to '\(node.id)'")
    }
  }

  /// A check that waits for a fact that nobody supplies would never start.
  private func needs() {
    var known = atStart
    for node in tree.nodes.values {
      switch node.looks {
      case .check(let id): known.formUnion(shapes[id]?.learns ?? [])
      case .fact(let name, _): known.formUnion(node.given.union([name]))
      }
    }
    for node in tree.nodes.values {
      guard case .check(let id) = node.looks, let shape = shapes[id] else { continue }
      for fact in shape.needs where !known.contains(fact) {
        problems.add(node.at, "'\(id)' needs '\(fact.text)', which no check or question supplies")
      }
    }
    for check in draft.checkedUp {
      for fact in shapes[check.text]?.needs ?? [] where !knownInCheckup.contains(fact) {
        problems.add(check.at, "'\(check.text)' needs '\(fact.text)', which no check of the checkup supplies")
      }
    }
  }

  /// What a checkup may know.
  private var knownInCheckup: Set<FactName> {
    FactName.start.union(draft.checkedUp.flatMap { shapes[$0.text]?.learns ?? [] })
  }

  private func starts(_ kind: PageReader.Kind) -> [String: SourcePlace] { draft.starts[kind] ?? [:] }

  private func pages() {
    let named = Set(tree.nodes.values.flatMap { $0.branches.flatMap { $0.names.map(\.cause) } })
    for (cause, start) in starts(.cause) where !named.contains(cause) {
      problems.add(start, "no branch names the cause '\(cause)'")
    }
    let weaknesses = Set(draft.checkup.weaknesses.map(\.id))
    for (name, start) in starts(.weakness) where !weaknesses.contains(name) {
      problems.add(start, "\(CheckupReader.file) has no weakness '\(name)'")
    }
    for kind in [PageReader.Kind.guide, .weakness] {
      for (name, start) in starts(kind) where starts(.cause)[name] != nil {
        problems.add(start, "there is a cause called '\(name)', too")
      }
    }
    let least = Facts(Dictionary(FactName.given.map { ($0, "x") }) { first, _ in first })
    // What a weakness is shown by is known where its page is shown.
    let shown = [PageReader.Kind.cause, .guide].flatMap { kind in (draft.pages[kind] ?? [:]).values.map { (kind, $0) } }
    for (kind, page) in shown {
      let steps = page.sections.flatMap(\.steps)
      let isShown = steps.contains { step in
        step.when.allSatisfy { $0.holds(least) } && step.placeholders.allSatisfy(FactName.given.contains)
      }
      if !steps.isEmpty, !isShown, let start = starts(kind)[page.id] {
        problems.add(start, "every step needs facts that may be missing; one must do with site.* alone")
      }
    }
  }

  /// Each kind of proxy has a file, and in it an answer to each recipe.
  private func recipes() {
    let recipes = draft.recipes
    for (kind, at) in draft.kinds where recipes.sources[kind] == nil {
      problems.add(
        at, "there is no Screens/proxies/\(kind).md, in which '\(kind)' says how it does what pages ask of it")
    }
    for (kind, source) in recipes.sources {
      if draft.kinds[kind] == nil {
        problems.add(source.place(1), "no signs know a proxy of the kind '\(kind)'", kind, notIn: draft.kinds.keys)
      }
      for (name, sentence) in recipes.sentences where recipes.answer(of: kind, to: name) == nil {
        problems.add(
          source.place(1), "'## \(name)' is missing (\(sentence.text)); if there is no such thing: '<!-- none: WHY -->'"
        )
      }
    }
  }

  /// An explanation that needs the word it explains, be it by way of another one.
  private func glossary() {
    let glossary = Glossary(draft.glossary.map(\.word))
    for (word, at) in draft.glossary where glossary.words(in: [word.explanation]).contains(word) {
      problems.add(at, "the explanation of '\(word.forms[0])' needs the word itself")
    }
  }

  /// Placeholders and conditions: a fact that does not exist, and one that is never known where it is used.
  private func facts() {
    let brought = FactRegistry.bringers(tree, shapes.values)
    let paths = Paths(tree, shapes, given: atStart, facts: Set(brought.keys))
    let (checkedUp, inCheckup) = (Set(draft.checkedUp.map(\.text)), knownInCheckup)
    for use in draft.uses {
      if case .check(let check) = use.scope,
        use.fact == .unseenReason || checkedUp.contains(check) && inCheckup.contains(use.fact)
      {
        continue
      }
      if brought[use.fact] == nil {
        problems.add(
          use.at.place, "there is no fact '\(use.fact.text)'", use.fact.text, notIn: brought.keys.map(\.text))
      } else if let target = paths.cannotSupply(use) {
        problems.add(use.at.place, "nothing on the way to '\(target)' supplies '\(use.fact.text)'")
      }
    }
    guard let registry = draft.facts else { return }
    let used = Set(draft.uses.map(\.fact))
    for (fact, place) in registry.places where brought[fact] == nil && !used.contains(fact) {
      problems.add(place, "no check or question brings '\(fact.text)'", fact.text, notIn: brought.keys.map(\.text))
    }
    let start = SourcePlace(file: FactRegistry.file, line: 1, column: 1)
    for (fact, bringers) in brought where registry.entries[fact] == nil {
      problems.add(start, "'\(fact.text)' is missing, which \(bringers.joined(separator: ", ")) brings")
    }
    for (fact, value, at) in draft.comparisons where registry.entries[fact] != nil {
      if let mistake = registry.mistake(in: value, of: fact) { problems.add(at.place, "never true: \(mistake)") }
    }
  }
}
