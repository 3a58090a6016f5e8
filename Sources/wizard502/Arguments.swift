import Model

/// The command line: `../contract/cli.md` made a value.
struct Arguments {
  enum Command {
    case guided(url: String?)
    case diagnose(url: String?, form: Form)
    /// `-` is standard input.
    case explain(files: [String], isJSON: Bool)
    case show(page: String?)
    case lint(directory: String?)
    case graph(Drawing)
    case help
    case version
  }

  enum Form { case text, json, markdown }
  enum Drawing { case dot, mermaid }

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
  var colours = true
  var ascii = false

  init(_ words: [String]) throws(Misuse) {
    var rest: [String] = []
    var options: [String: String] = [:]
    var words = words[...]
    while let word = words.popFirst() {
      guard word.hasPrefix("-"), word != "-" else {
        rest.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      let name = parts[0]
      if Self.valued.contains(name) {
        guard let value = parts.count == 2 ? parts[1] : words.popFirst() else {
          throw Misuse(sentence: "\(name) needs a value")
        }
        options[name] = value
      } else if Self.flags.contains(name) {
        guard parts.count == 1 else { throw Misuse(sentence: "\(name) takes no value") }
        options[name] = ""
      } else {
        throw Misuse(sentence: "there is no option \(name.printable)")
      }
    }
    flows = options["--flows"]
    ascii = options["--ascii"] != nil
    if let colour = options["--color"] {
      guard ["auto", "never"].contains(colour) else { throw Misuse(sentence: "--color takes auto or never") }
      colours = colour == "auto"
    }
    if let text = options["--timeout"] {
      guard let seconds = Double(text), seconds >= 1, seconds <= 3600 else {
        throw Misuse(sentence: "--timeout takes seconds, from 1 to 3600")
      }
      limit = seconds
    }
    if let text = options["--repeat"] {
      guard let count = Int(text), (2...500).contains(count) else {
        throw Misuse(sentence: "--repeat takes a number of requests, from 2 to 500")
      }
      series = count
    }
    (save, from) = (options["--save"], options["--from"])
    if save != nil, from != nil { throw Misuse(sentence: "--save and --from exclude each other") }
    if options["--help"] != nil || options["-h"] != nil {
      command = .help
    } else if options["--version"] != nil {
      command = .version
    } else {
      command = try Self.command(rest, options)
    }
  }

  private static let valued: Set = ["--flows", "--timeout", "--color", "--repeat", "--save", "--from"]
  private static let flags: Set = [
    "--json", "--markdown", "--all", "--dot", "--mermaid", "--ascii", "--help", "-h", "--version",
  ]

  private static func command(_ words: [String], _ options: [String: String]) throws(Misuse) -> Command {
    func atMost(_ count: Int) throws(Misuse) {
      if words.count > count { throw Misuse(sentence: "one word too many: \(words[count].excerpt(of: 200))") }
    }
    let second = words.dropFirst().first
    switch words.first {
    case "diagnose":
      try atMost(2)
      guard second != nil || options["--all"] != nil else { throw Misuse(sentence: "diagnose needs a URL, or --all") }
      if options["--all"] != nil, let one = ["--save", "--from"].first(where: { options[$0] != nil }) {
        throw Misuse(sentence: "\(one) is for one site, and --all for every one")
      }
      let form: Form = options["--json"] != nil ? .json : options["--markdown"] != nil ? .markdown : .text
      return .diagnose(url: options["--all"] == nil ? second : nil, form: form)
    case "explain":
      return .explain(files: words.count > 1 ? Array(words.dropFirst()) : ["-"], isJSON: options["--json"] != nil)
    case "show":
      try atMost(2)
      return .show(page: second)
    case "lint":
      try atMost(2)
      return .lint(directory: second)
    case "graph":
      try atMost(1)
      return .graph(options["--dot"] != nil ? .dot : .mermaid)
    default:
      try atMost(1)
      if options["--save"] != nil { throw Misuse(sentence: "--save goes with diagnose") }
      return .guided(url: words.first)
    }
  }

  static let help = """
    wizard502: finds why a site answers 502 Bad Gateway, and leads to the fix.
    It only looks: nothing here changes unless you run a command yourself.

    wizard502 [URL]                  guided session
    wizard502 diagnose URL           all live checks, no questions
    wizard502 diagnose --all         the same for every route of every proxy
        --json, --markdown           how the result is written; else text
        --repeat N                   asks N times: for a site that fails sometimes
        --save FILE, --from FILE     keeps what was seen; diagnoses from that
    wizard502 explain [FILE... | -] [--json]    what lines of a proxy's log mean
    wizard502 show [NAME]            the page of a cause, or a guide; else the list
    wizard502 lint [DIR]             checks Flows and Screens of DIR, or its own
    wizard502 graph [--dot | --mermaid]    the decision tree as a drawing

    --flows DIR        Flows and Screens that add to the built-in ones
    --timeout SECONDS  for all checks of all sites together (30)
    --color auto|never, --ascii, --help, --version

    Exit: 0 the site works, 1 a cause was found, 2 inconclusive, 64 wrong use,
    66 a file cannot be read, 70 wizard502 itself failed, 74 the output cannot
    be written.
    """
  static let version = "wizard502 0.1.0"
}
