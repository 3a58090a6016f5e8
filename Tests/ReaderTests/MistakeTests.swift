import Model
import Reader
import Testing

/// Each rule by one change to the sound sample, and the whole text of what is said about it.
struct MistakeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let old: String
    let new: String
    let problems: [String]
    init(_ file: String, _ old: String, _ new: String, _ problems: String...) {
      self.init(file, old, new, problems)
    }
    init(_ file: String, _ old: String, _ new: String, _ problems: [String]) {
      self.file = file
      self.old = old
      self.new = new
      self.problems = problems
    }
    var testDescription: String { problems.first ?? file }
  }

  static let start = "Flows/start.yaml"
  static let backend = "Flows/backend.yaml"
  static let checks = "Flows/checks.yaml"
  static let signs = "Flows/signs/nginx.yaml"
  static let stopped = "Screens/backend-stopped.md"
  static let port = "Screens/wrong-port.md"
  static let glossary = "Screens/glossary.yaml"
  static let app = "Flows/apps/shop.yaml"
  static let factList = "Flows/facts.yaml"

  static let flows = [
    Case(
      backend, "check: container.state", "check: container.stat",
      "Flows/backend.yaml:4:12: error: there is no check 'container.stat'; did you mean 'container.state'?"),
    Case(
      backend, "stopped:", "stoped:",
      "Flows/backend.yaml:4:12: error: 'container.state' can also end in 'stopped'; say where that leads",
      "Flows/backend.yaml:7:7: error: 'container.state' does not end in 'stoped'; did you mean 'stopped'?"),
    Case(
      start, "{go: state}", "{go: stat}",
      "Flows/backend.yaml:3:3: error: no path leads to 'state'",
      "Flows/backend.yaml:9:3: error: no path leads to 'kind'",
      "Flows/start.yaml:8:21: error: there is no node 'stat'; did you mean 'state'?"),
    Case(
      start, "start: answer", "start: anwser",
      "Flows/backend.yaml:3:3: error: no path leads to 'state'",
      "Flows/backend.yaml:9:3: error: no path leads to 'kind'",
      "Flows/start.yaml:2:8: error: there is no node 'anwser'; did you mean 'answer'?",
      "Flows/start.yaml:4:3: error: no path leads to 'answer'"),
    Case(start, "start: answer\n", "", "Flows/start.yaml:1:1: error: 'start' is missing"),
    Case(start, "title: Does the site answer?\n", "", "Flows/start.yaml:1:1: error: 'title' is missing"),
    Case(
      backend, "nodes:", "start: state\nnodes:",
      "Flows/backend.yaml:2:1: error: only Flows/start.yaml has a 'start'"),
    Case(
      backend, "cause: backend-stopped", "cause: backend-stoped",
      "Flows/backend.yaml:7:24: error: the cause 'backend-stoped' has no page; did you mean 'backend-stopped'?"),
    Case(
      backend, "other:   {end: inconclusive}", "other:   {}",
      "Flows/backend.yaml:16:7: error: 'other' leads nowhere; give it a 'cause', a 'go' or an 'end'"),
    Case(
      backend, "running: {go: kind}", "running: {go: kind, end: working}",
      "Flows/backend.yaml:6:27: error: 'running' cannot both go on and end"),
    Case(
      backend, "running: {go: kind}", "running: {go: state}",
      "Flows/backend.yaml:6:7: error: this leads in a circle: state → state"),
    Case(
      backend, "other:   {end: inconclusive}", "other:   {go: answer}",
      "Flows/backend.yaml:16:7: error: this leads in a circle: answer → state → kind → answer"),
    Case(
      start, "unknown: {end: inconclusive}", "unknown: {end: inconclusive}\n  kind: {}",
      "Flows/start.yaml:10:3: error: there is already a node 'kind' at Flows/backend.yaml:9"),
    Case(
      start, "unknown: {end: inconclusive}", "unknown: {go: more}\n  more: {}",
      "Flows/start.yaml:10:3: error: a node has a 'check', a 'fact' or a 'form'"),
    Case(
      backend, "confidence: certain", "confidence: sure",
      "Flows/backend.yaml:7:53: error: there is no confidence 'sure'; there are 'certain', 'likely', 'possible'"),
    Case(
      backend, ", confidence: certain", "", "Flows/backend.yaml:7:16: error: 'confidence' is missing"),
    Case(
      backend, "{go: kind}", "{go: kind, confidence: likely}",
      "Flows/backend.yaml:6:27: error: 'confidence' belongs to a 'cause'"),
    Case(
      start, "{end: working}", "{end: diagnosed}",
      "Flows/start.yaml:7:22: error: there is no end 'diagnosed'; there are 'working', 'inconclusive'"),
    Case(
      backend, "check: container.state", "chek: container.state",
      "Flows/backend.yaml:4:5: error: 'check' is missing",
      "Flows/backend.yaml:4:5: error: there is no key 'chek' here; did you mean 'check'?"),
    Case(
      backend, "find-out:", "findout:",
      "Flows/backend.yaml:10:5: error: 'find-out' is missing",
      "Flows/backend.yaml:13:5: error: there is no key 'findout' here; did you mean 'find-out'?"),
    Case(
      backend, "    ask: What does {upstream.container} run in?\n", "",
      "Flows/backend.yaml:10:11: error: there is no fact 'upstream.kind'",
      "Flows/backend.yaml:11:5: error: 'why' is only for a node that asks",
      "Flows/backend.yaml:12:5: error: 'find-out' is only for a node that asks",
      "Flows/backend.yaml:14:7: error: 'absent' is missing; say where it leads if it is not known",
      "Flows/backend.yaml:14:17: error: 'text' is only for a node that asks",
      "Flows/backend.yaml:16:7: error: 'unsure' is only for a node that asks; here it is 'absent'",
      "Flows/backend.yaml:16:17: error: 'text' is only for a node that asks",
      "Screens/wrong-port.md:11:27: error: there is no fact 'upstream.kind'"),
    Case(
      backend, "unsure:  {text: I do not know,", "unsure:  {",
      "Flows/backend.yaml:17:16: error: 'text' is missing"),
    Case(
      backend, "      unsure:", "      unsur:",
      "Flows/backend.yaml:15:7: error: 'unsure' is missing; say where it leads if nobody knows"),
    Case(
      backend, "{upstream.container} run in", "{container.exti} run in",
      "Flows/backend.yaml:11:10: error: there is no fact 'container.exti'; did you mean 'container.exit'?"),
    Case(
      backend, "{upstream.container} run in", "{upstream.kind} run in",
      "Flows/backend.yaml:11:10: error: nothing on the way to 'kind' supplies 'upstream.kind'"),
    Case(
      start, "{go: state}", "[go, state]",
      "Flows/backend.yaml:3:3: error: no path leads to 'state'",
      "Flows/backend.yaml:9:3: error: no path leads to 'kind'",
      "Flows/start.yaml:8:7: error: 'bad' leads nowhere; give it a 'cause', a 'go' or an 'end'",
      "Flows/start.yaml:8:16: error: a mapping (key: value) belongs here"),
  ]

  static let texts = [
    Case(
      checks, "site.answer:", "site.anwser:",
      "Flows/checks.yaml:1:1: error: the check 'site.answer' is missing",
      "Flows/checks.yaml:1:1: error: there is no check 'site.anwser'; did you mean 'site.answer'?"),
    Case(
      checks, "    bad: [bad, \"It answers {site.status}.\"]", "    baad: [bad, It answers.]",
      "Flows/checks.yaml:1:1: error: 'site.answer' can also end in 'bad'; give it a mark and a sentence",
      "Flows/checks.yaml:7:5: error: 'site.answer' does not end in 'baad'; did you mean 'bad'?"),
    Case(
      checks, "bad: [bad,", "bad: [bed,",
      "Flows/checks.yaml:7:11: error: there is no mark 'bed'; there are 'ok', 'bad', 'note', 'unknown'"),
    Case(
      checks, "[bad, \"It answers {site.status}.\"]", "[bad]",
      "Flows/checks.yaml:7:10: error: a mark and at least one sentence belong here"),
    Case(
      checks, "{site.status}", "{site.statsu}",
      "Flows/checks.yaml:6:14: error: there is no fact 'site.statsu'; did you mean 'site.status'?"),
    Case(
      checks, "{site.status}", "{container.exit}",
      "Flows/checks.yaml:6:14: error: nothing on the way to 'site.answer' supplies 'container.exit'"),
    Case(
      checks, "by-hand: curl -sS {site.url}", "by-hand: curl -sS {upstream.kind}",
      "Flows/checks.yaml:4:12: error: nothing on the way to 'site.answer' supplies 'upstream.kind'"),
    Case(
      checks, "hop: site", "hops: site",
      "Flows/checks.yaml:2:3: error: 'hop' is missing",
      "Flows/checks.yaml:3:3: error: there is no key 'hops' here; did you mean 'hop'?"),
    Case(
      signs, "images: ['^nginx$']", "images: ['^(nginx$']",
      "Flows/signs/nginx.yaml:2:41: error: this pattern does not compile: missing closing parenthesis, at its character 9"
    ),
    Case(
      signs, "body: '<h1>502'", "body: '['",
      "Flows/signs/nginx.yaml:5:31: error: this pattern does not compile: missing terminating ] for character class,"
        + " at its character 2"),
    Case(
      signs, "by: nginx, headers", "by: nginx, header",
      "Flows/signs/nginx.yaml:4:5: error: 'headers' or 'body' belongs here",
      "Flows/signs/nginx.yaml:4:17: error: there is no key 'header' here; did you mean 'headers'?"),
    Case(
      signs, "means: error-page, ", "", "Flows/signs/nginx.yaml:5:5: error: 'by' or 'means' belongs here"),
    Case(
      signs, "shows: refused", "meaning: x",
      "Flows/signs/nginx.yaml:7:5: error: 'shows' is missing",
      "Flows/signs/nginx.yaml:10:5: error: 'meaning' is here twice; the first is in line 9"),
    Case(
      signs, "[wrong-port,", "[wrong-prot,",
      "Flows/signs/nginx.yaml:11:14: error: the cause 'wrong-prot' has no page; did you mean 'wrong-port'?"),
    Case("Screens/words.yaml", "quit: Quit", "quit: [Quit]", "Screens/words.yaml:1:7: error: a text belongs here"),
    Case(
      "Screens/words.yaml", Sample().files["Screens/words.yaml", default: ""], "# none\n",
      "Screens/words.yaml:1:1: error: this file is empty"),
  ]

  static let apps = [
    Case(
      app, "port: 3000", "prot: 3000",
      "Flows/apps/shop.yaml:3:1: error: there is no key 'prot' here; did you mean 'port'?",
      "Flows/apps/shop.yaml:8:34: error: 'port' does not stand here; did you mean 'prot'?"),
    Case(app, "port: 3000", "port: 0", "Flows/apps/shop.yaml:3:7: error: a number from 1 to 65535 belongs here"),
    Case(app, "port: 3000", "port: 65536", "Flows/apps/shop.yaml:3:7: error: a number from 1 to 65535 belongs here"),
    Case(app, "[images, port]", "[images]", "Flows/apps/shop.yaml:3:1: error: no source is named for 'port'"),
    Case(app, "https://shop", "http://shop", "Flows/apps/shop.yaml:8:3: error: a source is an address: https://…"),
    Case(
      app, "[team/shop]", "['team/shop:1']",
      "Flows/apps/shop.yaml:2:10: error: an image's name stands here without its registry and tag"),
    Case(
      app, "[team/shop]", "[team/blog]",
      "Flows/apps/shop.yaml:2:10: error: 'team/blog' is already an image of Flows/apps/blog.yaml:2"),
    Case(
      app, "images: [team/shop]\n", "",
      "Flows/apps/shop.yaml:1:1: error: 'images' or 'processes' belongs here: by what is it recognised?",
      "Flows/apps/shop.yaml:7:26: error: 'images' does not stand here"),
    Case(app, ", value: 0.0.0.0", "", "Flows/apps/shop.yaml:4:9: error: 'value' is missing"),
    Case(
      app, "variable: HOST", "variable: HOST, option: --host",
      "Flows/apps/shop.yaml:4:9: error: one of 'variable', 'option', 'key', 'page' belongs here"),
    Case(app, "{key: root, file: /c.ini}", "{key: root}", "Flows/apps/shop.yaml:5:12: error: 'file' is missing"),
    Case(
      app, "variable: HOST", "variable: HOST, file: /c.ini",
      "Flows/apps/shop.yaml:4:26: error: only a 'key' stands in a file"),
    Case(app, "health: /up", "health: up", "Flows/apps/shop.yaml:6:9: error: a path starts with '/'"),
    Case(app, "name: Shop\n", "", "Flows/apps/shop.yaml:1:1: error: 'name' is missing"),
  ]

  static let pages = [
    Case(
      stopped, "cause: backend-stopped", "cause: backend",
      "Screens/backend-stopped.md:2:8: error: the cause 'backend' is not this file's name, 'backend-stopped'"),
    Case(
      stopped, "title: The app behind {site.host} has stopped\n", "",
      "Screens/backend-stopped.md:2:1: error: 'title' is missing"),
    Case(
      port, "sources: [experience]\n", "", "Screens/wrong-port.md:2:1: error: 'sources' is missing"),
    Case(
      port, "[experience]", "[]", "Screens/wrong-port.md:4:10: error: a page names at least one source"),
    Case(
      stopped, "hides: [wrong-port]", "hides: [wrong-ports]",
      "Screens/backend-stopped.md:5:9: error: the cause 'wrong-ports' has no page; did you mean 'wrong-port'?"),
    Case(
      stopped, "prevention:", "preventoin:",
      "Screens/backend-stopped.md:6:1: error: there is no key 'preventoin' here; did you mean 'prevention'?"),
    Case(
      stopped, "needs: [upstream.container]", "needs: [upstream.contianer]",
      "Screens/backend-stopped.md:4:9: error: there is no fact 'upstream.contianer';"
        + " did you mean 'upstream.container'?"),
    Case(
      stopped, "with {container.exit}", "with {container.exti}",
      "Screens/backend-stopped.md:12:15: error: there is no fact 'container.exti'; did you mean 'container.exit'?"),
    Case(
      stopped, "---\ncause", "cause",
      "Screens/backend-stopped.md:1:1: error: a page starts with its front matter between two lines '---'"),
    Case(
      stopped, "when: container.exit", "when: container.exti",
      "Screens/backend-stopped.md:11:12: error: there is no fact 'container.exti'; did you mean 'container.exit'?"),
    Case(
      stopped, "when: container.exit != 0 | 1, proxy.kind", "when: proxy.kind =, , !",
      "Screens/backend-stopped.md:11:1: error: 'when:' is followed by a fact:"
        + " 'when: a.b', '!a.b', 'a.b = c | d' or 'a.b != c'",
      "Screens/backend-stopped.md:11:1: error: a value is missing in 'proxy.kind ='"),
    Case(
      stopped, "sh host looks", "sh hots looks",
      "Screens/backend-stopped.md:22:7: error: there is no place 'hots';"
        + " there are 'host', 'container', 'upstream-host'"),
    Case(
      stopped, "sh host looks", "sh looks",
      "Screens/backend-stopped.md:22:1: error: say where this runs: 'host', 'container' or 'upstream-host'"),
    Case(
      stopped, "sh host looks", "sh host",
      "Screens/backend-stopped.md:22:1: error: say whether this step 'looks' or 'changes'"),
    Case(
      stopped, "sh host looks", "sh host looks sudo",
      "Screens/backend-stopped.md:22:18: error: 'sudo' means nothing here"),
    Case(
      stopped, "sh host looks", "bash host looks",
      "Screens/backend-stopped.md:22:1: error: there is no kind of step 'bash'; there are 'sh', 'diff', 'form'"),
    Case(
      stopped, "docker inspect {upstream.container}", "docker inspect '{upstream.container}'",
      "Screens/backend-stopped.md:23:17: error: '{upstream.container}' stands in quotes;"
        + " leave them out, it is filled in as one shell word"),
    Case(
      stopped, "docker inspect {upstream.container}", "echo `docker inspect {upstream.container}`",
      "Screens/backend-stopped.md:23:22: error: '{upstream.container}' stands in quotes;"
        + " leave them out, it is filled in as one shell word"),
    Case(
      stopped, "docker inspect {upstream.container}", "docker inspect \\{upstream.container}",
      "Screens/backend-stopped.md:23:17: error: '{upstream.container}' stands in quotes;"
        + " leave them out, it is filled in as one shell word"),
    Case(
      stopped, "docker inspect {upstream.container}", "cat <<E\n{upstream.container}\nE",
      "Screens/backend-stopped.md:24:1: error: '{upstream.container}' stands in quotes;"
        + " leave them out, it is filled in as one shell word"),
    Case(
      stopped, "<!-- when: !upstream.container -->\nStart the app behind {site.url}.", "",
      "Screens/backend-stopped.md:1:1: error: every step needs facts that may be missing;"
        + " one must do with site.* alone"),
    Case(
      stopped, "<!-- when: !upstream.container -->", "<!-- when: upstream.container -->",
      "Screens/backend-stopped.md:1:1: error: every step needs facts that may be missing;"
        + " one must do with site.* alone"),
    Case(
      stopped, "## See", "### See",
      "Screens/backend-stopped.md:16:1: error: a section of a page starts with '##'"),
    Case(
      stopped, "So nobody answers.", "<b>So</b> nobody answers.\n\n***",
      "Screens/backend-stopped.md:16:1: error: a page has no thematic_break"),
    Case(
      port, "file=/etc/{upstream.kind}.conf ", "",
      "Screens/wrong-port.md:11:1: error: 'file=' is missing"),
    Case(
      port, "-  listen", "listen",
      "Screens/wrong-port.md:13:1: error: a line of a diff starts with '+', '-' or a space"),
    Case(
      port, "Set Forward Port to {site.port}", "Set Forward Port to {container.exit} in {unseen.reason}",
      "Screens/wrong-port.md:1:1: error: every step needs facts that may be missing;"
        + " one must do with site.* alone",
      "Screens/wrong-port.md:19:41: error: there is no fact 'unseen.reason'"),
    Case(
      port, "The port is wrong.\n", "The port is wrong.\n\n```places\nproxy | app\ndials | listens | hears\n```\n",
      "Screens/wrong-port.md:10:1: error: a line of places has one '|'"),
    Case(
      port, "The port is wrong.\n", "The port is wrong.\n\n```places\nproxy |\n```\n",
      "Screens/wrong-port.md:8:1: error: each place has a name"),
    Case(
      port, "The port is wrong.\n\n## Put it right\n", "The port is wrong.\n",
      "Screens/wrong-port.md:1:1: error: a page has at least one step",
      "Screens/wrong-port.md:9:1: error: a step belongs below a '##'",
      "Screens/wrong-port.md:16:1: error: a step belongs below a '##'"),
  ]

  static let words = [
    Case(
      glossary, "502:", "502|ports:",
      "Screens/glossary.yaml:4:1: error: 'ports' is already explained at Screens/glossary.yaml:2"),
    Case(
      glossary, "port|ports", "port|ports|port",
      "Screens/glossary.yaml:2:1: error: 'port' is already explained at Screens/glossary.yaml:2"),
    Case(glossary, "port|ports", "port|", "Screens/glossary.yaml:2:1: error: a form of 'port|' is empty"),
    Case(glossary, "No good answer.", "\"\"", "Screens/glossary.yaml:4:6: error: a text belongs here"),
    Case(
      glossary, "No good answer.", String(repeating: "long ", count: 49) + ".",
      "Screens/glossary.yaml:4:6: error: this explanation has 246 characters; 240 are enough"),
    Case(
      glossary, "No good answer.", "The number 502.",
      "Screens/glossary.yaml:4:1: error: the explanation of '502' needs the word itself"),
    Case(
      glossary, "A numbered door of a machine.", "What a published port is made of.",
      "Screens/glossary.yaml:2:1: error: the explanation of 'port' needs the word itself",
      "Screens/glossary.yaml:3:1: error: the explanation of 'published port' needs the word itself"),
  ]

  static let facts = [
    Case(
      factList, "site.status: {type: number", "site.statos: {type: number",
      "Flows/facts.yaml:1:1: error: 'site.status' is missing, which site.answer brings",
      "Flows/facts.yaml:10:1: error: no check or question brings 'site.statos'; did you mean 'site.status'?"),
    Case(
      factList, "proxy.kind: {type: text", "proxy.kind: {type: word",
      "Flows/facts.yaml:1:1: error: 'proxy.kind' is missing, which site.answer brings",
      "Flows/facts.yaml:11:20: error: there is no type 'word'; there are 'text', 'number', 'port', 'address', 'list', 'flag'"
    ),
    Case(
      factList, "proxy.kind: {type: text", "proxy.kind: {type: text, unit: s",
      "Flows/facts.yaml:11:26: error: only a number has a unit"),
    Case(
      stopped, "container.exit != 0 | 1", "container.exit != 0 | one",
      "Screens/backend-stopped.md:11:34: error: never true: 'container.exit' is a number"),
    Case(
      factList, "upstream.kind: {type: text", "upstream.kind: {type: text, one-of: [vm]",
      "Flows/backend.yaml:15:7: error: never true: 'upstream.kind' is one of 'vm'"),
  ]

  @Test(arguments: flows + texts + apps + pages + words + facts)
  func aMistakeIsNamed(_ mistake: Case) {
    let (catalog, problems) = Sample(mistake.file, mistake.old, mistake.new).read()
    #expect(problems == mistake.problems)
    #expect(catalog == nil)
  }

  @Test func aPlaceholderMustBeSuppliedOnAWayToThatCause() {
    // `container.exit` is learned on another way only.
    var sample = Sample(Self.start, "{end: inconclusive}", "{cause: edge, confidence: likely}")
    sample.files["Screens/edge.md"] = """
      ---
      cause: edge
      title: Edge
      sources: [experience]
      ---
      It ended with {container.exit}, {site.status}.

      ## Put it right
      Wait.
      """
    #expect(
      sample.read().problems == [
        "Screens/edge.md:6:15: error: nothing on the way to 'edge' supplies 'container.exit'"
      ])
  }

  @Test func aPageThatNoBranchNamesIsAProblem() {
    var sample = Sample()
    sample.files["Screens/unused.md"] = sample.files[Self.port]?.replacing("wrong-port", with: "unused")
      .replacing("{upstream.kind}", with: "x")
    #expect(
      sample.read().problems == ["Screens/unused.md:1:1: error: no branch names the cause 'unused'"])
  }

  @Test func aCheckThatCanNeverStartIsAProblem() {
    let shapes = [
      CheckShape(
        id: "site.answer", needs: [.url, "site.address"], learns: ["upstream.container", "site.status", "proxy.kind"],
        outcomes: Sample.shapes[0].outcomes),
      Sample.shapes[1],
    ]
    let files = Sample().files.map { (path: $0.key, text: $0.value) }
    #expect(
      Reader.read(files: files, shapes: shapes, checkingPatterns: false).problems.map(\.description) == [
        "Flows/start.yaml:4:3: error: 'site.answer' needs 'site.address', which no check or question supplies"
      ])
  }

  @Test func missingAndForeignFilesAreProblems() {
    var sample = Sample()
    sample.files["Flows/checks.yaml"] = nil
    sample.files["Flows/start.yaml"] = nil
    sample.files["notes.txt"] = ""
    #expect(
      Set(sample.read().problems).isSuperset(of: [
        "Flows/checks.yaml:1:1: error: there is no such file",
        "Flows/start.yaml:1:1: error: there is no such file",
        "notes.txt:1:1: error: files are named Flows/NAME.yaml, Flows/apps/NAME.yaml, Flows/signs/NAME.yaml, Screens/CAUSE.md, Screens/guides/NAME.md, Screens/checkup/WEAKNESS.md, Screens/parts/NAME.md, Screens/proxies/KIND.md, Screens/practice/NAME.yaml, Screens/languages/NAME.po, Screens/recipes.yaml, Screens/looks.yaml, Screens/glossary.yaml or Screens/words.yaml",
      ]))
  }

  @Test func patternsAreOnlyCompiledIfAsked() {
    let files = Sample(Self.signs, "'<h1>502'", "'['").files.map { (path: $0.key, text: $0.value) }
    #expect(Reader.read(files: files, shapes: Sample.shapes, checkingPatterns: false).problems == [])
    #expect(Reader.read(files: files, shapes: Sample.shapes, checkingPatterns: true).problems.count == 1)
  }

  @Test func tenMistakesAreNamedAtOnce() {
    var sample = Sample()
    sample.files[Self.backend] = """
      titel: Is the upstream there?
      nodes:
        state:
          check: container.stat
          outcomes:
            running: {go: knid}
            stopped: {cause: backend-stoped, confidence: surely}
            unknown: {cause: wrong-port, confidence: possible, go: kind, end: working}
        kind: &kind
          fact: upstream.kind
          ask: What does {upstream.contianer} run in?
          why: Docker did not say.
          answers:
            process: {}
            unsure: {text: I do not know, cause: backend-stopped, confidence: likely}
      """
    #expect(
      sample.read().problems == [
        "Flows/backend.yaml:1:1: error: 'title' is missing",
        "Flows/backend.yaml:1:1: error: there is no key 'titel' here; did you mean 'title'?",
        "Flows/backend.yaml:4:12: error: there is no check 'container.stat'; did you mean 'container.state'?",
        "Flows/backend.yaml:6:21: error: there is no node 'knid'; did you mean 'kind'?",
        "Flows/backend.yaml:7:24: error: the cause 'backend-stoped' has no page; did you mean 'backend-stopped'?",
        "Flows/backend.yaml:7:52: error: there is no confidence 'surely'; there are 'certain', 'likely', 'possible'",
        "Flows/backend.yaml:8:68: error: 'unknown' cannot both go on and end",
        "Flows/backend.yaml:9:9: error: 'find-out' is missing",
        "Flows/backend.yaml:9:9: error: an anchor is not supported",
        "Flows/backend.yaml:11:10: error: there is no fact 'upstream.contianer'; did you mean 'upstream.container'?",
        "Flows/backend.yaml:14:7: error: 'process' leads nowhere; give it a 'cause', a 'go' or an 'end'",
      ])
  }
}
