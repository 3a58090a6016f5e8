import Checks
import Dispatch
import Flow
import Glibc
import Machine
import Model
import Reader
import Report
import World

/// The program: arguments in, one of its commands out, and how it ended.
@main struct Wizard502 {
  /// Exit codes of `contract/cli.md`.
  enum Exit: Int32, CaseIterable {
    case working = 0
    case diagnosed = 1
    case inconclusive = 2
    case misuse = 64
    case unreadable = 66
    case fault = 70
    /// Standard output cannot be written: EX_IOERR.
    case unwritable = 74

    var says: String {
      switch self {
      case .working: "the site works"
      case .diagnosed: "a cause was found"
      case .inconclusive: "inconclusive"
      case .misuse: "wrong use"
      case .unreadable: "unreadable file"
      case .fault: "wizard502 itself failed"
      case .unwritable: "unwritable output"
      }
    }
  }

  /// What reads or looks at anything from outside does so in a process of its own.
  static func main() {
    Conditions.prepare()
    let arguments: Arguments
    do throws(Arguments.Misuse) { arguments = try Arguments(Conditions.arguments) } catch {
      complain("wizard502: \(error.sentence). wizard502 --help shows the use.")
      end(Exit.misuse.rawValue)
    }
    checkLanguage(arguments)
    if arguments.entersHost { enterHost(arguments) }
    switch arguments.command {
    case .help: end(say(Arguments.help).rawValue)
    case .version: end(say(Arguments.version).rawValue)
    case .generate(.man): end(say(Arguments.manualPage).rawValue)
    case .generate(.bash): end(say(Completion.bash).rawValue)
    case .generate(.zsh): end(say(Completion.zsh).rawValue)
    case .generate(.fish): end(say(Completion.fish).rawValue)
    case .lint(let directory): supervised { concurrently { await lint(directory ?? arguments.flows).rawValue } }
    case .explain(let files, let isJSON):
      supervised { catalog(arguments).map { explain(files, isJSON: isJSON, $0) } ?? .unreadable }
    case .show(let name): supervised { catalog(arguments).map { show(name, $0) } ?? .unreadable }
    case .collect: end(say(collectingScript).rawValue)
    case .graph(let drawing): supervised { catalog(arguments).map { graph(drawing, $0) } ?? .unreadable }
    case .diagnose(let url?, .recording) where arguments.dialled != nil:
      supervised { concurrently { await record(of: url, arguments).rawValue } }
    case .diagnose(let url, let form): work(.diagnosis(form), at: url, arguments)
    case .checkup(let url, let isJSON, let onlyNew):
      work(.checkup(isJSON: isJSON, onlyNew: onlyNew), at: url, arguments)
    case .practice(let name, let lists):
      onTerminal(arguments) { await practice(name, lists: lists, $0, arguments) }
    case .guided(let url): onTerminal(arguments) { await guide(url, $0, arguments) }
    }
  }

  /// What `collect` prints.
  static var collectingScript: String { Reader.builtIn.first { $0.path == Reader.collectingScript }?.text ?? "" }

  /// Does what has the terminal, with the catalogue, and ends with its exit code.
  private static func onTerminal(
    _ arguments: Arguments, _ work: @escaping @Sendable (Catalog) async -> Int32
  ) -> Never {
    supervisedOnTerminal {
      concurrently {
        guard let catalog = catalog(arguments) else { return Exit.unreadable.rawValue }
        Task.detached { catalog.prepare() }
        return await work(catalog)
      }
    }
  }

  /// Ends the program at once. What OpenSSL and libcurl would tidy up at an ordinary end is still in the hands of the
  /// threads of unfinished looks.
  static func end(_ code: Int32) -> Never {
    Output.flush()
    fflush(nil)
    _exit(code)
  }

  /// Does what needs threads, and ends with its exit code; or says what is missing here for it.
  static func concurrently(_ work: @escaping @Sendable () async -> Int32) -> Never {
    if let obstacle = Conditions.obstacle { refuse(obstacle) }
    Task { end(await work()) }
    dispatchMain()
  }

  /// All that the program looks at.
  ///
  /// - Parameter engine: The Docker context of the engine; nil: as the `docker` command finds it.
  static func world(engine: String? = nil) -> any World { engine.map { Machine(engineOfContext: $0) } ?? Machine() }

  /// Leaves the container; ends where there is no way out and the machine is what was asked about.
  private static func enterHost(_ arguments: Arguments) {
    do throws(Host.Obstacle) { try Host.enter() } catch {
      guard arguments.looks else { return }
      let missing =
        switch error {
        case .ownProcesses: "--pid=host is missing"
        case .notPermitted: "--privileged is missing, or the engine itself is not run by root"
        }
      refuse(
        "from this container the machine cannot be seen: \(missing). "
          + "It is run with: docker run --rm -it --pid=host --privileged wizard502")
    }
  }

  // MARK: The data files

  /// The built-in catalogue, with that of `--flows` over it, in the person's language; nil, said on standard error, if it
  /// is broken.
  static func catalog(_ arguments: Arguments) -> Catalog? {
    let directory = arguments.flows
    do {
      let files = try files(directory)
      let language = language(arguments, files)
      let read = Reader.read(
        files: files, shapes: Check.all.map(\.shape), linting: directory != nil, in: language, checkingPatterns: false)
      read.problems.forEach { complain($0.description) }
      if read.catalog == nil, let directory {
        complain("wizard502: \(directory.printable) has mistakes and is not used")
      }
      return read.catalog
    } catch {
      complain("wizard502: \(error)")
      return nil
    }
  }

  /// That of `--lang`, else the one that the environment asks for, if there is one; what other programs read stays as it
  /// is without `--lang`.
  static func language(_ arguments: Arguments, _ files: [(path: String, text: String)]) -> Language? {
    let name = arguments.language ?? (arguments.isForPrograms ? nil : languageOfEnvironment)
    return name.flatMap { Language($0, in: files) }
  }

  /// Ends with a sentence where `--lang` names what there is not.
  private static func checkLanguage(_ arguments: Arguments) {
    guard let name = arguments.language, let files = try? files(arguments.flows) else { return }
    let names = ([Language.english] + Language.names(in: files)).sorted()
    guard !names.contains(name) else { return }
    complain("wizard502: there is no language \(name.printable); there are \(names.joined(separator: ", "))")
    end(Exit.misuse.rawValue)
  }

  /// What `LC_ALL`, `LC_MESSAGES` or `LANG` asks for, the first of them that says something: `de` of `de_AT.UTF-8`.
  private static var languageOfEnvironment: String? {
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
      guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { continue }
      return String(value.prefix { !"_.@".contains($0) })
    }
    return nil
  }

  private static func files(_ directory: String?) throws(Reader.Unreadable) -> [(path: String, text: String)] {
    guard let directory else { return Reader.builtIn }
    return Reader.overlay(Reader.builtIn, with: try Reader.files(in: directory))
  }

  private static func lint(_ directory: String?) async -> Exit {
    do {
      let files = try files(directory)
      let read = Reader.read(files: files, shapes: Check.all.map(\.shape), checkingPatterns: true)
      var problems = read.problems.map(\.description)
      if let catalog = read.catalog {
        for exercise in Reader.exercises(files).exercises {
          problems += await exercise.problems(catalog, folder: directory.map { "\($0)/Screens/practice" })
        }
      }
      for translation in Reader.translations(in: files) {
        problems += translation.problems.map(\.description)
        guard !translation.missing.isEmpty else { continue }
        complain(
          "\(translation.path): \(translation.missing.count) of \(translation.texts) texts are not translated".printable
        )
      }
      problems.forEach { say($0) }
      return problems.isEmpty ? .working : .diagnosed
    } catch {
      complain("wizard502: \(error)")
      return .unreadable
    }
  }

  /// The name under which all technical words are shown.
  private static let glossary = "words"

  private static func show(_ name: String?, _ catalog: Catalog) -> Exit {
    let pages = [catalog.pages, catalog.guides, catalog.weaknesses]
    guard let name else {
      let lines = pages.flatMap { $0.values.sorted { $0.id < $1.id } }.map { "\($0.id): \($0.title(Facts()))" }
      return say((lines + ["\(glossary): \(catalog.word("glossary.title"))"]).joined(separator: "\n"))
    }
    if name == glossary { return say(glossaryText(catalog.glossary)) }
    guard let page = pages.lazy.compactMap({ $0[name] }).first else {
      let near = name.nearest(among: pages.flatMap(\.keys) + [glossary]).map { " Did you mean \($0)?" } ?? ""
      complain("wizard502: there is no cause, guide or weakness \(name.printable).\(near) wizard502 show lists them.")
      return .misuse
    }
    return say(pageText(page, catalog: catalog))
  }

  private static func graph(_ drawing: Arguments.Drawing, _ catalog: Catalog) -> Exit {
    switch drawing {
    case .dot: say(catalog.tree.dot(catalog))
    case .mermaid: say(catalog.tree.mermaid(catalog))
    }
  }

  /// - Parameter url: Nil: every site of every proxy here.
  private static func work(_ work: Work, at url: String?, _ arguments: Arguments) -> Never {
    var site: Site?
    if let url {
      site = Site(url)
      if site == nil {
        complain(
          "wizard502: \(url.excerpt(of: 200)) is no address of a site, such as https://shop.example.org")
        end(Exit.misuse.rawValue)
      }
    }
    let remotes: [Remote]
    do throws(Evidence.Failure) { remotes = try arguments.remotes() } catch {
      complain("wizard502: \(error.sentence)")
      end(error.exit.rawValue)
    }
    var crew = Crew(Target.all(site, on: remotes), work, arguments)
    crew.run()
  }

  /// Writes down what this machine shows of a port that another one dials for its site.
  private static func record(of url: String, _ arguments: Arguments) async -> Exit {
    guard let site = Site(url), let (address, port) = arguments.dialled else { return .misuse }
    guard let catalog = catalog(arguments) else { return .unreadable }
    let recorder = Recorder(world())
    let facts = arguments.facts(of: site)
    let view = Once(recorder)
    _ = await view.result(within: arguments.limit) { () async throws(Unseen) in
      try await Check.lookForOther(at: address, port, facts: facts, in: view, signs: catalog.signs)
    }
    return say(String(decoding: recorder.recording.redacted.written, as: UTF8.self))
  }

  // MARK: Words out

  @discardableResult
  private static func say(_ text: String) -> Exit {
    Output.put(text.hasSuffix("\n") ? text : text + "\n")
    return .working
  }

  static func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

extension Wizard502.Exit {
  /// How several sites end together.
  static func worst(_ exits: [Self]) -> Self {
    [.fault, .diagnosed, .inconclusive].first { exits.contains($0) } ?? .working
  }

  init(_ verdict: Diagnosis.Verdict) {
    switch verdict {
    case .working: self = .working
    case .diagnosed: self = .diagnosed
    case .inconclusive: self = .inconclusive
    }
  }
}
