import Checks
import Discovery
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
  enum Exit: Int32 {
    case working = 0
    case diagnosed = 1
    case inconclusive = 2
    case misuse = 64
    case unreadable = 66
    case fault = 70
  }

  static func main() async {
    let arguments: Arguments
    do throws(Arguments.Misuse) { arguments = try Arguments(Array(CommandLine.arguments.dropFirst())) } catch {
      complain("wizard502: \(error.sentence). wizard502 --help shows the use.")
      end(Exit.misuse.rawValue)
    }
    end(await run(arguments).rawValue)
  }

  /// Ends the program at once. What OpenSSL and libcurl would tidy up at an ordinary end is still in the hands of the
  /// threads of unfinished looks.
  static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  private static func run(_ arguments: Arguments) async -> Exit {
    switch arguments.command {
    case .help: return say(Arguments.help)
    case .version: return say(Arguments.version)
    case .lint(let directory): return lint(directory ?? arguments.flows)
    case .explain, .show, .graph, .diagnose, .guided: break
    }
    guard let catalog = catalog(arguments.flows) else { return .unreadable }
    switch arguments.command {
    case .explain(let files, let isJSON): return explain(files, isJSON: isJSON, catalog)
    case .show(let name): return show(name, catalog)
    case .graph(.dot): return say(catalog.tree.dot(catalog))
    case .graph(.mermaid): return say(catalog.tree.mermaid(catalog))
    case .diagnose(let url?, let form): return await diagnose(url, form, catalog, arguments)
    case .diagnose(nil, let form): return await diagnoseAll(form, catalog, arguments)
    case .guided(let url): return await guide(url, catalog, arguments)
    case .help, .version, .lint: return .fault
    }
  }

  // MARK: The data files

  /// The built-in catalogue, with those of `directory` over it; nil, said on standard error, if that is broken.
  private static func catalog(_ directory: String?) -> Catalog? {
    do {
      let files = try files(directory)
      let read = Reader.read(
        files: files, shapes: Check.all.map(\.shape), linting: directory != nil, checkingPatterns: false)
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

  private static func files(_ directory: String?) throws(Reader.Unreadable) -> [(path: String, text: String)] {
    guard let directory else { return Reader.builtIn }
    return Reader.overlay(Reader.builtIn, with: try Reader.files(in: directory))
  }

  private static func lint(_ directory: String?) -> Exit {
    do {
      let files = try files(directory)
      let read = Reader.read(files: files, shapes: Check.all.map(\.shape), checkingPatterns: true)
      read.problems.forEach { print($0.description) }
      return read.problems.isEmpty ? .working : .diagnosed
    } catch {
      complain("wizard502: \(error)")
      return .unreadable
    }
  }

  /// The name under which all technical words are shown.
  private static let glossary = "words"

  private static func show(_ name: String?, _ catalog: Catalog) -> Exit {
    let pages = [catalog.pages, catalog.guides]
    guard let name else {
      let lines = pages.flatMap { $0.values.sorted { $0.id < $1.id } }.map { "\($0.id): \($0.title(Facts()))" }
      return say((lines + ["\(glossary): \(catalog.word("glossary.title"))"]).joined(separator: "\n"))
    }
    if name == glossary { return say(glossaryText(catalog.glossary)) }
    guard let page = pages.lazy.compactMap({ $0[name] }).first else {
      let near = name.nearest(among: pages.flatMap(\.keys) + [glossary]).map { " Did you mean \($0)?" } ?? ""
      complain("wizard502: there is no cause or guide \(name.printable).\(near) wizard502 show lists them.")
      return .misuse
    }
    return say(pageText(page, catalog: catalog))
  }

  // MARK: Diagnoses

  private static func diagnose(_ url: String, _ form: Arguments.Form, _ catalog: Catalog, _ arguments: Arguments) async
    -> Exit
  {
    guard let site = Site(url) else {
      complain(
        "wizard502: \(url.printable.shortened(to: 200)) is no address of a site, such as https://shop.example.org")
      return .misuse
    }
    let diagnosis = await wizard502.diagnose(
      site, catalog: catalog, world: Machine(), limit: arguments.limit, series: arguments.series)
    switch form {
    case .json: say(diagnosis.json)
    case .text: say(textReport(diagnosis, catalog: catalog))
    case .markdown: say(markdownReport(diagnosis, catalog: catalog))
    }
    return Exit(diagnosis.verdict)
  }

  private static func diagnoseAll(_ form: Arguments.Form, _ catalog: Catalog, _ arguments: Arguments) async -> Exit {
    let world = Machine()
    let sites: [RouteReading.ListedSite]
    do throws(Unseen) { sites = try await RouteReading.sites(in: Once(world), catalog.signs) } catch {
      complain("wizard502: could not see the proxies: \(catalog.reason(error))")
      if form == .json { say("[]") }
      return .inconclusive
    }
    if sites.isEmpty {
      complain("wizard502: no proxy was found here whose routes can be read")
      if form == .json { say("[]") }
      return .inconclusive
    }
    var diagnoses: [Diagnosis] = []
    for site in sites {
      diagnoses.append(
        await wizard502.diagnose(
          site.site, catalog: catalog, world: world, limit: arguments.limit, series: arguments.series))
    }
    switch form {
    case .json: say(diagnoses.json)
    case .text: say(diagnoses.map { textReport($0, catalog: catalog) }.joined(separator: "\n"))
    case .markdown: say(diagnoses.map { markdownReport($0, catalog: catalog) }.joined(separator: "\n"))
    }
    let exits = diagnoses.map { Exit($0.verdict) }
    return exits.contains(.diagnosed) ? .diagnosed : exits.contains(.inconclusive) ? .inconclusive : .working
  }

  // MARK: Words out

  @discardableResult
  private static func say(_ text: String) -> Exit {
    print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
    return .working
  }

  static func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

extension Wizard502.Exit {
  init(_ verdict: Diagnosis.Verdict) {
    switch verdict {
    case .working: self = .working
    case .diagnosed: self = .diagnosed
    case .inconclusive: self = .inconclusive
    }
  }
}
