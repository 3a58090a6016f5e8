import Flow
import Model
import Reader
import Testing

/// The words that make a tree short: several outcomes in a line, `otherwise`, several causes, forms, ways on.
struct TreeWordTests {
  private typealias Case = MistakeTests.Case
  private static let start = "Flows/start.yaml"
  private static let backend = "Flows/backend.yaml"
  private static let state = """
        outcomes:
          running: {go: kind}
          stopped: {cause: backend-stopped, confidence: certain}
          unknown: {cause: backend-stopped, confidence: possible, go: kind}
    """

  /// The sample with other outcomes of `state`, whose first line is line 6.
  private static func outcomes(_ lines: String..., problems: String...) -> Case {
    let new = (["    outcomes:"] + lines.map { "      " + $0 }).joined(separator: "\n")
    return Case(backend, state, new, problems)
  }

  /// The sample with that change; a way on that is in it has the fact that it gives in the list.
  private static func sample(_ change: Case) -> Sample {
    var sample = Sample(change.file, change.old, change.new)
    if change.new.contains("give: {route.server:") {
      sample.files["Flows/facts.yaml"]? += "\nroute.server: {type: text, means: The server}"
    }
    return sample
  }

  private func catalog(_ mistake: MistakeTests.Case) throws -> Catalog {
    let read = Self.sample(mistake).read()
    #expect(read.problems == [])
    return try #require(read.catalog)
  }

  // MARK: Lines

  @Test func severalOutcomesStandInOneLine() throws {
    let node = try #require(
      catalog(Self.outcomes("running,  unknown: {go: kind}", "stopped: {cause: backend-stopped, confidence: certain}"))
        .tree.nodes["state"])
    #expect(node.branches.map(\.keys) == [["running", "unknown"], ["stopped"]])
    #expect(node.branch(for: "unknown")?.go == "kind")
    #expect(node.branches.map(\.at.line) == [6, 7])
  }

  @Test func otherwiseStandsForEveryOutcomeWithoutALine() throws {
    let catalog = try catalog(
      Self.outcomes("stopped: {cause: backend-stopped, confidence: certain}", "otherwise: {go: kind}"))
    let node = try #require(catalog.tree.nodes["state"])
    #expect(node.branches.map(\.keys) == [["stopped"], ["running", "unknown"]])
    #expect(catalog.tree.dot(catalog).contains(#""state" -> "kind" [label="otherwise"];"#))
  }

  @Test func otherwiseStandsForAnyOtherValueAndForNone() throws {
    var sample = Sample(Self.start, "ok:      {end: working}", "ok:      {go: seen}")
    sample.files["Flows/seen.yaml"] = """
      title: Is there a status?
      nodes:
        seen:
          fact: site.status
          answers:
            200, 204:  {end: working}
            otherwise: {end: inconclusive}
      """
    #expect(sample.read().problems == [])
    let node = try #require(sample.read().catalog?.tree.nodes["seen"])
    #expect(node.branches.map(\.keys) == [["200", "204"], [Node.other, Node.absent]])
    #expect(node.branch(for: "502")?.end == .inconclusive)
  }

  @Test func oneLineNamesSeveralCausesEachWithItsConfidence() throws {
    let catalog = try catalog(
      Self.outcomes(
        "stopped: {causes: {backend-stopped: likely, wrong-port: possible}, go: kind}", "otherwise: {go: kind}"))
    let names: [Branch.Names] = [
      .init(cause: "backend-stopped", confidence: .likely), .init(cause: "wrong-port", confidence: .possible),
    ]
    #expect(catalog.tree.nodes["state"]?.branches.first?.names == names)
    #expect(catalog.tree.dot(catalog).contains(#""state" -> "cause wrong-port" [label="stopped (possible)"];"#))
  }

  /// What the other lines of a node need not say again.
  private static let stopped = "stopped: {cause: backend-stopped, confidence: certain}"

  private static let lines = [
    outcomes(
      "running, stoped: {go: kind}", "unknown: {cause: backend-stopped, confidence: likely}",
      problems: "Flows/backend.yaml:4:12: error: 'container.state' can also end in 'stopped'; say where that leads",
      "Flows/backend.yaml:6:16: error: 'container.state' does not end in 'stoped'; did you mean 'stopped'?"),
    outcomes(
      stopped, "running, stopped, unknown: {go: kind}",
      problems: "Flows/backend.yaml:7:16: error: 'stopped' is here twice; the first is in line 6"),
    outcomes(
      stopped, "running, , unknown: {go: kind}",
      problems: "Flows/backend.yaml:7:16: error: a name is missing between the commas"),
    outcomes(
      stopped, "running, unknown: {go: kind}", "otherwise: {go: kind}",
      problems: "Flows/backend.yaml:8:7: error: 'otherwise' stands for nothing: every outcome has a line of its own"),
    outcomes(
      stopped, "unknown, otherwise: {go: kind}",
      problems: "Flows/backend.yaml:7:16: error: 'otherwise' stands alone, for it is all that has no line of its own"),
    outcomes(
      stopped, "running: {go: kind}", "otherwize: {go: kind}",
      problems: "Flows/backend.yaml:4:12: error: 'container.state' can also end in 'unknown'; say where that leads",
      "Flows/backend.yaml:8:7: error: 'container.state' does not end in 'otherwize'; did you mean 'otherwise'?"),
    outcomes(
      "running, stopped: {go: kind}", "unknown: {cause: backend-stopped, confidence: certain}",
      problems: "Flows/backend.yaml:7:53: error: 'unknown' leaves other causes, so it is 'likely' at most"),
    outcomes(
      "running: {go: kind}", "otherwise: {causes: {backend-stopped: certain}}",
      problems: "Flows/backend.yaml:7:45: error: 'otherwise' stands for 'unknown', too, which is 'likely' at most;"
        + " give that a line of its own"),
    outcomes(
      stopped, "otherwise: {go: kidn}",
      problems: "Flows/backend.yaml:7:23: error: there is no node 'kidn'; did you mean 'kind'?",
      "Flows/backend.yaml:8:3: error: no path leads to 'kind'"),
  ]

  private static let unsure = "      unsure:  {text: I do not know, end: inconclusive}"

  private static let answers = [
    Case(
      backend, unsure, unsure + "\n      absent: {end: inconclusive}",
      "Flows/backend.yaml:18:7: error: 'absent' is only for a node that does not ask; here it is 'unsure'"),
    Case(
      backend, "process: {text", "process, thread: {text",
      "Flows/backend.yaml:15:25: error: 'text' is that of one answer"),
    Case(
      backend, "      other:   {end: inconclusive}\n" + unsure, "      otherwise: {end: inconclusive}",
      "Flows/backend.yaml:15:7: error: 'unsure' is missing; say where it leads if nobody knows"),
    Case(
      backend, "I do not know, end: inconclusive", "I do not know, cause: wrong-port, confidence: certain",
      "Flows/backend.yaml:17:69: error: 'unsure' leaves other causes, so it is 'likely' at most"),
    Case(
      backend, unsure, unsure + "\n      otherwise: {end: inconclusive}",
      "Flows/backend.yaml:18:7: error: 'otherwise' stands for nothing: every value has a line of its own"),
    Case(
      backend, "process: {text", "process: {give: [kind], text",
      "Flows/backend.yaml:15:23: error: a mapping (key: value) belongs here"),
    Case(
      backend, unsure,
      unsure + "\n  told: {fact: site.status, answers: {otherwise: {give: {site.status: 502}, end: inconclusive}}}",
      "Flows/backend.yaml:18:3: error: no path leads to 'told'",
      "Flows/backend.yaml:18:51: error: 'give' is only for a node that asks"),
  ]

  private static let causes = [
    outcomes(
      "stopped: {causes: {backend-stoped: likely, wrong-port: surely}}",
      "otherwise: {cause: backend-stopped, confidence: likely, go: kind}",
      problems:
        "Flows/backend.yaml:6:26: error: the cause 'backend-stoped' has no page; did you mean 'backend-stopped'?",
      "Flows/backend.yaml:6:62: error: there is no confidence 'surely'; there are 'certain', 'likely', 'possible'"),
    outcomes(
      "stopped: {cause: backend-stopped, confidence: certain, causes: {wrong-port: likely}}", "otherwise: {go: kind}",
      problems: "Flows/backend.yaml:6:62: error: 'cause' and 'causes' exclude each other"),
    outcomes(
      "stopped: {causes: [backend-stopped]}", "otherwise: {cause: backend-stopped, confidence: likely, go: kind}",
      problems: "Flows/backend.yaml:6:25: error: a mapping (key: value) belongs here"),
    outcomes(
      "stopped: {causes: {}}", "otherwise: {cause: backend-stopped, confidence: likely, go: kind}",
      problems: "Flows/backend.yaml:6:25: error: a cause belongs here"),
    outcomes(
      "stopped: {causes: {backend-stopped: likely}, confidence: likely}", "otherwise: {go: kind}",
      problems: "Flows/backend.yaml:6:52: error: 'confidence' belongs to a 'cause'"),
  ]

  // MARK: Forms

  private static let form = """
    forms:
      ended:
        takes: [cause, else]
        check: container.state
        outcomes:
          stopped:   {cause: $cause, confidence: certain}
          otherwise: {go: $else}
    nodes:
      state: {form: ended, cause: backend-stopped, else: kind}
    """
  private static let node = """
    nodes:
      state:
        check: container.state
    \(state)
    """

  /// The sample with the form `ended`, of which a test changes one place.
  private static func formed(_ old: String, _ new: String, _ problems: String...) -> Case {
    guard let range = form.firstRange(of: old) else { preconditionFailure("the form has no '\(old)'") }
    return Case(backend, node, String(form[..<range.lowerBound]) + new + form[range.upperBound...], problems)
  }

  @Test func aFormIsFilledWithTheValuesOfItsNode() throws {
    let node = try #require(catalog(Self.formed("ended", "ended")).tree.nodes["state"])
    #expect(node.looks == .check("container.state"))
    #expect(node.branches.map(\.keys) == [["stopped"], ["running", "unknown"]])
    #expect(node.branches[0].names == [.init(cause: "backend-stopped", confidence: .certain)])
    #expect(node.branches[1].go == "kind")
    #expect(node.at.line == 10 && node.branches[0].at.line == 7)
  }

  @Test func aFormOfOneFileIsThatOfAnotherOnesNodes() throws {
    var sample = Sample(Self.backend, Self.node, "nodes:\n  state: {form: ended, cause: backend-stopped, else: kind}")
    sample.files["Flows/zforms.yaml"] =
      "title: Forms\n" + Self.form.split(separator: "\n").prefix(7).joined(separator: "\n") + "\nnodes: {}\n"
    #expect(sample.read().problems == [])
  }

  private static let forms = [
    formed(
      "form: ended", "form: edned",
      "Flows/backend.yaml:3:3: error: no node has the form 'ended'",
      "Flows/backend.yaml:10:17: error: there is no form 'edned'; did you mean 'ended'?",
      "Flows/backend.yaml:11:3: error: no path leads to 'kind'",
      "Screens/backend-stopped.md:1:1: error: no branch names the cause 'backend-stopped'"),
    formed(
      ", else: kind}", "}",
      "Flows/backend.yaml:8:23: error: there is no node '$else'",
      "Flows/backend.yaml:10:10: error: 'else' is missing",
      "Flows/backend.yaml:11:3: error: no path leads to 'kind'"),
    formed("else: kind}", "else: kind, go: kind}", "Flows/backend.yaml:10:60: error: there is no key 'go' here"),
    formed(
      "{go: $else}", "{go: $esle}",
      "Flows/backend.yaml:3:3: error: the form 'ended' takes no 'esle'; did you mean 'else'?",
      "Flows/backend.yaml:4:20: error: the form 'ended' has no '$else'",
      "Flows/backend.yaml:8:23: error: there is no node '$esle'",
      "Flows/backend.yaml:11:3: error: no path leads to 'kind'"),
    formed(
      "takes: [cause, else]", "takes: [cause, else, end]",
      "Flows/backend.yaml:4:26: error: the form 'ended' has no '$end'",
      "Flows/backend.yaml:10:10: error: 'end' is missing"),
    formed(
      "    takes: [cause, else]\n", "",
      "Flows/backend.yaml:3:3: error: a form 'takes' at least one value",
      "Flows/backend.yaml:3:3: error: the form 'ended' takes no 'cause'",
      "Flows/backend.yaml:3:3: error: the form 'ended' takes no 'else'",
      "Flows/backend.yaml:9:24: error: there is no key 'cause' here",
      "Flows/backend.yaml:9:48: error: there is no key 'else' here"),
    // What a node gives stands where the node is.
    formed(
      "cause: backend-stopped", "cause: backend-stoped",
      "Flows/backend.yaml:10:31: error: the cause 'backend-stoped' has no page; did you mean 'backend-stopped'?",
      "Screens/backend-stopped.md:1:1: error: no branch names the cause 'backend-stopped'"),
    formed(
      "else: kind", "else: state",
      "Flows/backend.yaml:8:7: error: this leads in a circle: state → state",
      "Flows/backend.yaml:11:3: error: no path leads to 'kind'"),
    // A mistake of the form itself is told once, however many nodes have it.
    formed(
      "stopped:   {", "stoped:   {",
      "Flows/backend.yaml:7:7: error: 'container.state' does not end in 'stoped'; did you mean 'stopped'?"),
    formed(
      "  state: {form", "  more: {form: ended, cause: wrong-port, else: knid}\n  state: {form",
      "Flows/backend.yaml:10:3: error: no path leads to 'more'",
      "Flows/backend.yaml:10:48: error: there is no node 'knid'; did you mean 'kind'?"),
    formed(
      "certain}", "sure}\n      running: {go: $else, end: working}",
      "Flows/backend.yaml:7:46: error: there is no confidence 'sure'; there are 'certain', 'likely', 'possible'",
      "Flows/backend.yaml:8:28: error: 'running' cannot both go on and end"),
    formed(
      "nodes:\n", "  unused: {takes: [go], fact: site.status, answers: {otherwise: {go: $go}}}\nnodes:\n",
      "Flows/backend.yaml:9:3: error: no node has the form 'unused'"),
    formed(
      "nodes:\n", "  ended: {takes: [go], fact: site.status, answers: {otherwise: {go: $go}}}\nnodes:\n",
      "Flows/backend.yaml:9:3: error: 'ended' is here twice; the first is in line 3"),
  ]

  // MARK: The head of the tree

  private static let head = """
          unknown: {end: inconclusive, follow: redirect}
    hops: [site, upstream]
    follow:
      redirect: {how: within, to: site.status, give: {route.server: [proxy.kind, site.status]}, keep: [site]}
    """

  /// The sample with a way on, of which a test changes one place.
  private static func headed(_ old: String, _ new: String, _ problems: String...) -> Case {
    guard let range = head.firstRange(of: old) else { preconditionFailure("the head has no '\(old)'") }
    return Case(
      start, "      unknown: {end: inconclusive}\nhops: [site, upstream]",
      String(head[..<range.lowerBound]) + new + head[range.upperBound...], problems)
  }

  @Test func hopsAndWaysOnAreReadOnce() throws {
    let catalog = try catalog(Self.headed("site", "site"))
    #expect(catalog.hops == ["site", "upstream"])
    #expect(
      catalog.tree.follows == [
        "redirect": Follow(
          how: .within, to: .siteStatus, gives: ["route.server": [.proxyKind, .siteStatus]], keeps: ["site"])
      ])
    #expect(catalog.tree.nodes["answer"]?.branch(for: "unknown")?.follow == "redirect")
    #expect(catalog.tree.dot(catalog).contains("goes on at site.status"))
  }

  @Test func factsThatAWayOnGivesAreKnownFromTheStart() {
    var sample = Sample()
    sample.files[Self.backend] = sample.files[Self.backend]?.replacing(
      "Docker did not say.", with: "'It is {route.server}.'")
    #expect(
      sample.read().problems == ["Flows/backend.yaml:12:10: error: there is no fact 'route.server'"])
    let headed = Self.sample(Self.headed("site", "site"))
    for file in [Self.start, "Flows/facts.yaml"] { sample.files[file] = headed.files[file] }
    #expect(sample.read().problems == [])
  }

  private static let heads = [
    headed(
      "follow: redirect", "follow: rediret",
      "Flows/start.yaml:9:44: error: there is no way on called 'rediret'; did you mean 'redirect'?",
      "Flows/start.yaml:12:3: error: no branch follows 'redirect'"),
    headed(
      "how: within", "how: inside",
      "Flows/start.yaml:12:19: error: there is no how 'inside'; there are 'anew', 'behind', 'within'"),
    headed("how: within, ", "", "Flows/start.yaml:12:13: error: 'how' is missing"),
    headed(
      "how: within", "how: anew",
      "Flows/start.yaml:12:91: error: 'keep' is only for a case that goes on 'within' itself"),
    headed(
      "to: site.status", "to: site.statsu",
      "Flows/start.yaml:12:31: error: there is no fact 'site.statsu'; did you mean 'site.status'?"),
    headed(
      "[proxy.kind, site.status]", "[proxy.knid, site.status]",
      "Flows/start.yaml:12:66: error: there is no fact 'proxy.knid'; did you mean 'proxy.kind'?"),
    headed(
      "keep: [site]", "keep: [stie]",
      "Flows/start.yaml:12:100: error: there is no hop 'stie'; did you mean 'site'?"),
    headed("keep: [site]", "kept: [site]", "Flows/start.yaml:12:93: error: there is no key 'kept' here"),
    headed(
      "hops: [site, upstream]", "hops: [site, usptream]",
      "Flows/checks.yaml:11:8: error: there is no hop 'upstream'; did you mean 'usptream'?",
      "Flows/start.yaml:10:14: error: Screens/words.yaml has no 'hop.short.usptream'",
      "Flows/start.yaml:10:14: error: Screens/words.yaml has no 'hop.usptream'",
      "Flows/start.yaml:10:14: error: no check looks at the hop 'usptream'"),
    headed("hops: [site, upstream]\n", "", "Flows/start.yaml:1:1: error: 'hops' is missing"),
    headed(
      "hops: [site, upstream]", "hops: [site, upstream]\nmiddle: upstraem",
      "Flows/start.yaml:11:9: error: there is no hop 'upstraem'; did you mean 'upstream'?"),
    headed("hops: [site, upstream]", "hops: site", "Flows/start.yaml:10:7: error: a list belongs here"),
    headed(
      "hops: [site, upstream]\n",
      "hops: [site, upstream]\ncontradictions: [{site.answer: [badd], site.anser: [bad]}, {site.answer: [bad]}]\n",
      "Flows/start.yaml:11:33: error: 'site.answer' does not end in 'badd'; did you mean 'bad'?",
      "Flows/start.yaml:11:40: error: there is no check 'site.anser'; did you mean 'site.answer'?",
      "Flows/start.yaml:11:60: error: two checks or more contradict each other"),
    Case(
      backend, "nodes:", "hops: [site]\nfollow: {}\nnodes:",
      "Flows/backend.yaml:2:1: error: only Flows/start.yaml has a 'hops'",
      "Flows/backend.yaml:3:1: error: only Flows/start.yaml has a 'follow'"),
  ]

  @Test(arguments: lines + answers + causes + forms + heads)
  func aMistakeIsNamed(_ mistake: MistakeTests.Case) {
    let (catalog, problems) = Self.sample(mistake).read()
    #expect(problems == mistake.problems)
    #expect(catalog == nil)
  }
}
