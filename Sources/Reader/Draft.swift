import Flow
import Model
import YAML

/// What the files say, and where they refer to something that another file may hold.
struct Draft {
  /// Whether anybody looks at what only a lint needs.
  let isLinted: Bool
  /// The files of nodes, which are read when all are there.
  var flows: [(root: YAML.Node, isStart: Bool)] = []
  var start: Text?
  /// Hops of the way from the browser to the app, in its order.
  var hops: [Text] = []
  /// The last one before the proxy has the request.
  var middle: Text?
  /// Where hops are named.
  var usedHops: [Text] = []
  var follows: [(name: Text, follow: Follow)] = []
  /// Findings that cannot all be true.
  var contradictions: [[String: Set<String>]] = []
  var nodes: [String: Node] = [:]
  /// Pages of each kind by name, and where each starts; also where those do that could not be read whole.
  var pages: [PageReader.Kind: [String: Page]] = [:]
  var starts: [PageReader.Kind: [String: SourcePlace]] = [:]
  var checkup = Checkup()
  /// Where the checkup names its checks.
  var checkedUp: [Text] = []
  var checks: [String: CheckText] = [:]
  var looks: [String: [ByHand]] = [:]
  /// Nil where nothing is linted.
  var facts: FactRegistry?
  var words: [String: Template] = [:]
  var glossary: [(word: Glossary.Word, at: SourcePlace)] = []
  var signs = Signs()
  var apps: [App] = []
  /// Images of apps, each where it is claimed.
  var images: [String: SourcePlace] = [:]

  var links: [Link] = []
  private(set) var uses: [Use] = []
  /// Values with which a fact is compared; only where that is linted.
  private(set) var comparisons: [(fact: FactName, value: String, at: Use.Place)] = []
  var patterns: [Text] = []
  /// The kinds of proxies, each where its signs name it first.
  var kinds: [String: SourcePlace] = [:]
  var recipes = Recipes()
  var usedParts: Set<String> = []
  var usedRecipes: Set<String> = []

  /// A name that must be that of a node, a page or a way on.
  struct Link {
    enum Target { case node, page, follow, weakness }
    let target: Target
    let name: Text
  }

  /// A fact that some text needs, and who must be able to supply it.
  struct Use {
    enum Scope: Hashable {
      /// Known when the page is shown.
      case page(String)
      /// Known when the check has ended.
      case check(String)
      /// Known when the node is reached.
      case node(String)
      /// It is enough that there is such a fact.
      case anywhere
    }
    /// Where it stands; in a page that is only looked up if there is something to say about it.
    enum Place {
      case known(SourcePlace)
      case found(in: PageSource, String, line: Int)

      var place: SourcePlace {
        switch self {
        case .known(let place): place
        case .found(let source, let written, let line): source.place(of: written, from: line)
        }
      }
    }
    let fact: FactName
    let at: Place
    let scope: Scope
  }

  init(isLinted: Bool) { self.isLinted = isLinted }

  /// Notes that there has to be what is named there.
  mutating func link(to target: Link.Target, _ name: Text) {
    if isLinted { links.append(Link(target: target, name: name)) }
  }

  /// Notes that the fact is used there.
  mutating func use(_ fact: FactName, _ scope: Use.Scope, at place: @autoclosure () -> Use.Place) {
    if isLinted { uses.append(Use(fact: fact, at: place(), scope: scope)) }
  }

  /// Notes that the fact is compared with that value.
  mutating func compare(_ fact: FactName, with value: String, _ at: @autoclosure () -> Use.Place) {
    if isLinted { comparisons.append((fact, value, at())) }
  }

  /// What the files of nodes say.
  var tree: Tree {
    Tree(
      start: start?.text ?? "", nodes: nodes,
      follows: Dictionary(follows.map { ($0.name.text, $0.follow) }) { first, _ in first },
      contradictions: contradictions)
  }

  /// The text with its placeholders, which are noted as used there.
  mutating func template(_ text: Text, _ scope: Use.Scope) -> Template {
    let template = Template(text.text)
    if isLinted { for fact in template.placeholders { use(fact, scope, at: .known(text.at)) } }
    return template
  }
}
