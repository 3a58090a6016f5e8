import Model
import World

/// The command line: `../contract/cli.md` made a value.
///
/// `Verb` and `options` are its table: parsing, the sentences on wrong use, `--help`, the manual page and what shells
/// complete come from there.
struct Arguments {
  enum Command {
    case guided(url: String?)
    case diagnose(url: String?, form: Form)
    /// Nil: every site of every proxy here.
    case checkup(url: String?, isJSON: Bool, onlyNew: Bool)
    /// `-` is standard input.
    case explain(files: [String], isJSON: Bool)
    case show(page: String?)
    /// Without a name, one is chosen on the terminal.
    case practice(name: String?, lists: Bool)
    case lint(directory: String?)
    case graph(Drawing)
    case collect
    case help
    case version
    case generate(Document)
  }

  enum Form {
    case text, json, markdown, prometheus
    /// What was seen, and no report.
    case recording
  }
  enum Drawing { case dot, mermaid }
  /// What is installed beside the program.
  enum Document: String, CaseIterable { case man, bash, zsh, fish }

  /// Wrong use: what is wrong, in a sentence.
  struct Misuse: Error { let sentence: String }

  var command: Command
  var flows: String?
  var limit = 30.0
  /// How often `diagnose` asks the site, for one that fails only sometimes.
  var series: Int?
  /// A file for what `diagnose` sees, and one from which it sees instead of the machine.
  var save: String?
  var from: String?
  /// A file of what commands have printed elsewhere; `-`: standard input.
  var paste: String?
  /// Other machines, as they are named: in place of this one.
  var on: String?
  /// The version of the written form in which what was seen is the output, in place of a report: for whoever asked by `--on`.
  var recorded: Int?
  /// A port of this machine, and the address at which another one dials it, of which is written down what is seen, for the
  /// same asker; the URL is that of the other one's site.
  var dialled: (address: String, port: UInt16)?
  /// Whether `diagnose` leaves out who and where it is about.
  var anonymizes = false
  var colours = true
  var ascii = false
  /// True: the guided session is in lines.
  var isPlain = false
  /// A file with answers for the guided session, and one into which it is written down.
  var answers: String?
  var record: String?
  /// True: for whoever is let in to follow a guided session and to do nothing else.
  var isRestricted = false
  /// The name of the language of the texts; nil: that of the environment.
  var language: String?
  /// Whether another program reads what it writes.
  var isForPrograms: Bool {
    switch command {
    case .diagnose(_, .json), .diagnose(_, .prometheus), .diagnose(_, .recording), .checkup(_, true, _),
      .explain(_, true):
      true
    default: false
    }
  }
  /// Whether it is the program of an image, which is to look at the machine outside.
  var entersHost = false
  /// Whether it looks at this machine.
  var looks: Bool {
    switch command {
    case .guided, .diagnose: from == nil && on == nil
    default: false
    }
  }

  /// A first word that is no URL, with what may follow it.
  enum Verb: String, CaseIterable {
    /// The one without a word of its own.
    case guided = ""
    case diagnose, checkup, explain, collect, show, practice, lint, graph

    init(_ word: String?) { self = Self.allCases.first { $0 != .guided && $0.rawValue == word } ?? .guided }

    /// Its lines of `--help`; none: it is not told of.
    var uses: [(words: String, help: String)] {
      switch self {
      case .guided: [("[URL]", "guided session")]
      case .diagnose: [("URL", "all live checks, no questions"), ("--all", "the same for every route of every proxy")]
      case .checkup: [("[URL] [--json] [--since last]", "what will be the next 502")]
      case .explain: [("[FILE... | -] [--json]", "what lines of a proxy's log mean")]
      case .collect: [("", "a script for another machine; for --paste")]
      case .show: [("[NAME]", "the page of a cause, or a guide; else the list")]
      case .practice: [("[NAME | --list]", "a session on a recorded broken system")]
      case .lint: [("[DIR]", "checks Flows and Screens of DIR, or its own")]
      case .graph: [("[--dot | --mermaid]", "the decision tree as a drawing")]
      }
    }

    /// How many words may follow.
    var most: Int {
      switch self {
      case .explain: .max
      case .graph, .collect: 0
      case .guided, .diagnose, .checkup, .show, .practice, .lint: 1
      }
    }

    /// As it is typed, with what may follow it.
    func written(_ words: String) -> String {
      ["wizard502", rawValue, words].filter { !$0.isEmpty }.joined(separator: " ")
    }

    var inWords: String { self == .guided ? "a guided session" : rawValue }
  }

  struct Option {
    let name: String
    /// `FILE`, `DIR`, another name for it, or `one|other`; nil: it takes none.
    var value: String?
    /// What it is without a value; nil: it needs one.
    var bare: String?
    /// Those it goes with, and is shown below the first of; empty: all.
    var verbs: [Verb] = []
    /// What it does, in a few words.
    let says: String
    var line = Line.own

    /// Where `--help` has it.
    enum Line {
      case own
      /// In the line of the next one.
      case next
      /// In a line with those before, which says this.
      case last(String)
      /// In a use of its verb.
      case none
      /// Nowhere, nor in any manual.
      case hidden
    }

    /// The values there are; none: any.
    var choices: [String] {
      let words = (value ?? "").split(separator: "|").map(String.init)
      return words.count > 1 ? words : []
    }
    var written: String { value.map { bare == nil ? "\(name) \($0)" : "\(name) [\($0)]" } ?? name }
  }

  static let options = [
    Option(name: "--all", verbs: [.diagnose, .checkup], says: "every route of every proxy", line: .none),
    Option(name: "--json", verbs: [.diagnose, .checkup, .explain], says: "writes JSON", line: .next),
    Option(
      name: "--markdown", verbs: [.diagnose], says: "writes Markdown", line: .next),
    Option(
      name: "--prometheus", verbs: [.diagnose], says: "writes a line a site, for node_exporter's textfile collector",
      line: .next),
    Option(
      name: "--repeat", value: "N", verbs: [.diagnose, .guided], says: "asks N times: for a site that fails sometimes",
      line: .last("else text; asks N times")),
    Option(name: "--save", value: "FILE", verbs: [.diagnose], says: "keeps what was seen", line: .next),
    Option(
      name: "--from", value: "FILE", verbs: [.diagnose, .guided, .practice], says: "diagnoses from what was kept",
      line: .next),
    Option(
      name: "--anonymize", verbs: [.diagnose], says: "with other names and addresses",
      line: .last("what was seen: kept, used, anonymous")),
    Option(
      name: "--paste", value: "FILE", bare: "-", verbs: [.diagnose, .guided],
      says: "reads what commands have printed elsewhere", line: .next),
    Option(
      name: "--on", value: "HOST", verbs: [.diagnose, .guided],
      says: "looks at other machines: ssh://user@host, a Docker context, several with commas, or a file of them",
      line: .last("elsewhere: as printed there; by ssh")),
    Option(
      name: "--plain", verbs: [.guided, .practice], says: "in lines; also ACCESSIBLE=1, TERM=dumb, pipes", line: .next),
    Option(name: "--answers", value: "FILE", verbs: [.guided, .practice], says: "answers, a line each", line: .next),
    Option(
      name: "--record", value: "FILE", verbs: [.guided, .practice], says: "writes the session down",
      line: .last("in lines; answers ahead; a record")),
    Option(name: "--restricted", verbs: [.guided, .practice], says: "follows a session and does nothing else"),
    Option(
      name: "--since", value: "last", verbs: [.checkup], says: "only what is new since the last time", line: .none),
    Option(name: "--list", verbs: [.practice], says: "names all exercises", line: .none),
    Option(name: "--dot", verbs: [.graph], says: "the drawing for Graphviz", line: .none),
    Option(name: "--mermaid", verbs: [.graph], says: "the drawing for Mermaid", line: .none),
    Option(name: "--flows", value: "DIR", says: "Flows and Screens that add to the built-in ones", line: .next),
    Option(
      name: "--timeout", value: "SECONDS", says: "for all checks of all sites together (30)",
      line: .last("more Flows and Screens; for all checks (30)")),
    Option(name: "--color", value: "auto|never", says: "colours, or none", line: .next),
    Option(name: "--lang", value: "NAME", says: "the language of its texts: de, en", line: .next),
    Option(name: "--ascii", says: "draws with plain characters only", line: .next),
    Option(name: "--help", says: "how to use it", line: .next),
    Option(name: "--version", says: "which version it is", line: .last("")),
    Option(
      name: "--generate", value: Document.allCases.map(\.rawValue).joined(separator: "|"),
      says: "the manual page, or what a shell completes", line: .hidden),
    Option(name: "--recorded", value: "VERSION", verbs: [.diagnose], says: "writes what was seen", line: .hidden),
    Option(
      name: "--dialled", value: "ADDRESS", verbs: [.diagnose], says: "writes what is seen of a port", line: .hidden),
    Option(name: "--enter-host", says: "looks at the machine outside of its own container", line: .hidden),
  ]

  init(_ words: [String]) throws(Misuse) {
    var operands: [String] = []
    var given: [String: String] = [:]
    var words = words[...]
    while let word = words.popFirst() {
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      let name = parts[0] == "-h" ? "--help" : parts[0]
      guard let option = Self.options.first(where: { $0.name == name }) else {
        throw Misuse(sentence: "there is no option \(name.printable)")
      }
      guard option.value != nil else {
        guard parts.count == 1 else { throw Misuse(sentence: "\(name) takes no value") }
        given[name] = ""
        continue
      }
      let follows = words.first.map { $0 == "-" || !$0.hasPrefix("-") } == true || option.bare == nil
      guard let value = parts.count == 2 ? parts[1] : follows ? words.popFirst() : option.bare else {
        throw Misuse(sentence: "\(name) needs a value")
      }
      guard option.choices.isEmpty || option.choices.contains(value) else {
        throw Misuse(sentence: "\(name) takes \(option.choices.joined(separator: " or "))")
      }
      given[name] = value
    }
    flows = given["--flows"]
    ascii = given["--ascii"] != nil
    anonymizes = given["--anonymize"] != nil
    isPlain = given["--plain"] != nil
    (answers, record) = (given["--answers"], given["--record"])
    isRestricted = given["--restricted"] != nil
    language = given["--lang"]
    entersHost = given["--enter-host"] != nil
    colours = given["--color"] != "never"
    if let text = given["--timeout"] {
      guard let seconds = Double(text), seconds >= 1, seconds <= 3600 else {
        throw Misuse(sentence: "--timeout takes seconds, from 1 to 3600")
      }
      limit = seconds
    }
    if let text = given["--repeat"] {
      guard let count = Int(text), (2...500).contains(count) else {
        throw Misuse(sentence: "--repeat takes a number of requests, from 2 to 500")
      }
      series = count
    }
    (save, from, paste, on) = (given["--save"], given["--from"], given["--paste"], given["--on"])
    if let version = given["--recorded"] {
      guard version == String(Recording.version) else {
        throw Misuse(sentence: "--recorded \(version.excerpt(of: 20)) is not known")
      }
      recorded = Recording.version
    }
    if let text = given["--dialled"] {
      let (address, port) = text.hostAndPort
      guard address.isAddress, let port, recorded != nil else {
        throw Misuse(sentence: "--dialled \(text.excerpt(of: 60)) is not known")
      }
      dialled = (address, port)
    }
    let sources = ["--save", "--from", "--paste", "--on"].filter { given[$0] != nil }
    if sources.count > 1 { throw Misuse(sentence: "\(sources[0]) and \(sources[1]) exclude each other") }
    if given["--help"] != nil {
      command = .help
    } else if given["--version"] != nil {
      command = .version
    } else if let document = given["--generate"].flatMap(Document.init) {
      command = .generate(document)
    } else {
      command = try Self.command(operands, given)
    }
    if isRestricted { try Self.allowInRestricted(command, given) }
  }

  /// A person who was let in for a guided session may have had a hand in the command line: no file is named there, and no
  /// other machine.
  private static func allowInRestricted(_ command: Command, _ given: [String: String]) throws(Misuse) {
    if let option = options.first(where: { given[$0.name] != nil && ["FILE", "DIR"].contains($0.value) }) {
      throw Misuse(sentence: "\(option.name) names a file, which --restricted does not allow")
    }
    if given["--on"] != nil {
      throw Misuse(sentence: "--on leads to another machine, which --restricted does not allow")
    }
    switch command {
    case .guided, .practice, .help, .version: return
    default: throw Misuse(sentence: "--restricted is for the guided session and for practice")
    }
  }

  private static func command(_ words: [String], _ given: [String: String]) throws(Misuse) -> Command {
    let verb = Verb(words.first)
    let operands = verb == .guided ? words : Array(words.dropFirst())
    if operands.count > verb.most {
      throw Misuse(sentence: "one word too many: \(operands[verb.most].excerpt(of: 200))")
    }
    for option in options where given[option.name] != nil && !option.verbs.isEmpty && !option.verbs.contains(verb) {
      throw Misuse(sentence: "\(option.name) goes with \(option.verbs.map(\.inWords).joined(separator: " or "))")
    }
    switch verb {
    case .guided:
      if given["--on"] != nil, operands.isEmpty {
        throw Misuse(sentence: "a guided session --on another machine needs a URL")
      }
      return .guided(url: operands.first)
    case .diagnose:
      let isAll = given["--all"] != nil
      guard !operands.isEmpty || isAll || given["--from"] != nil else {
        throw Misuse(sentence: "diagnose needs a URL, or --all")
      }
      if isAll, let one = ["--save", "--from", "--paste", "--anonymize"].first(where: { given[$0] != nil }) {
        throw Misuse(sentence: "\(one) is for one site, and --all for every one")
      }
      if let on = given["--on"], given["--anonymize"] != nil {
        throw Misuse(sentence: "--anonymize is for this machine, and \(on.excerpt(of: 200)) another one")
      }
      let forms: [(String, Form)] = [
        ("--json", .json), ("--markdown", .markdown), ("--prometheus", .prometheus), ("--recorded", .recording),
      ]
      let asked = forms.filter { given[$0.0] != nil }
      if asked.count > 1 { throw Misuse(sentence: "\(asked[0].0) and \(asked[1].0) exclude each other") }
      let form = asked.first?.1 ?? .text
      return .diagnose(url: isAll ? nil : operands.first, form: form)
    case .checkup:
      if let since = given["--since"], since != "last" { throw Misuse(sentence: "--since takes last") }
      return .checkup(
        url: given["--all"] == nil ? operands.first : nil, isJSON: given["--json"] != nil,
        onlyNew: given["--since"] != nil)
    case .explain: return .explain(files: operands.isEmpty ? ["-"] : operands, isJSON: given["--json"] != nil)
    case .show: return .show(page: operands.first)
    case .practice: return .practice(name: operands.first, lists: given["--list"] != nil)
    case .lint: return .lint(directory: operands.first)
    case .collect: return .collect
    case .graph: return .graph(given["--dot"] != nil ? .dot : .mermaid)
    }
  }

  static var help: String {
    let commands = Verb.allCases.flatMap { verb in
      verb.uses.map { line(verb.written($0.words), $0.help, at: 33) }
        + lines(options.filter { $0.verbs.first == verb }).map { line("    " + $0.names, $0.says, at: 33) }
    }
    let common = lines(options.filter(\.verbs.isEmpty)).map { line($0.names, $0.says, at: 19) }
    let exits = "Exit: " + Wizard502.Exit.allCases.map { "\($0.rawValue) \($0.says)" }.joined(separator: ", ") + "."
    return """
      wizard502: \(purpose).
      \(promise)

      \(commands.joined(separator: "\n"))

      \(common.joined(separator: "\n"))

      \(wrapped(exits, at: 80))
      """
  }

  static let purpose = "finds why a site answers 502 Bad Gateway, and leads to the fix"
  static let promise = "It only looks: nothing here changes unless you run a command yourself."

  /// The options of each line of `--help`, and what it says.
  private static func lines(_ options: [Option]) -> [(names: String, says: String)] {
    var lines: [(names: String, says: String)] = []
    var names: [String] = []
    for option in options {
      switch option.line {
      case .none, .hidden: continue
      case .next: names.append(option.written)
      case .own: lines.append((option.written, option.says))
      case .last(let says):
        lines.append(((names + [option.written]).joined(separator: ", "), says))
        names = []
      }
    }
    return lines
  }

  private static func line(_ left: String, _ right: String, at column: Int) -> String {
    right.isEmpty ? left : left + String(repeating: " ", count: max(2, column - left.count)) + right
  }

  private static func wrapped(_ text: String, at width: Int) -> String {
    text.split(separator: " ").reduce(into: ["" as Substring]) { lines, word in
      if lines[lines.count - 1].count + 1 + word.count > width { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }.joined(separator: "\n")
  }

  static let number = "0.1.0"
  static let version =
    "wizard502 \(number)" + (revision.map { " (\($0.id), \($0.date))" } ?? "")
}
