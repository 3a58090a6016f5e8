import Archive
import Checks
import Flow
import LogLines
import Markdown
import Model
import Pattern
import Reader
import Report
import SQLite
import TOML
import YAML

/// `explain`: a file, compressed or not, cut into lines, each read by all signs.
struct LogDriver: Driver {
  let name = "log-lines"

  func seeds(_ repository: Repository) -> [[UInt8]] { repository.kept(name) + logs(repository) }

  func run(_ input: [UInt8]) async {
    var rest = input[...]
    guard
      let stream = try? Decompressor({ buffer in
        // A read gives what is there, not what was asked for.
        let piece = rest.prefix(min(buffer.count, 4096))
        buffer.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
      })
    else { return }
    var reader = LogReader(DiagnosisDriver.catalog.signs)
    var reports = [true, false].map { ExplainReport(catalog: DiagnosisDriver.catalog, isJSON: $0, namesFiles: true) }
    var splitter = LineSplitter()
    var left = 2000
    while left > 0 {
      let goesOn = try? splitter.advance(reading: stream.read) { number, line in
        left -= 1
        guard left > 0, let reading = reader.reading(of: line) else { return }
        for index in reports.indices {
          _ = reports[index].entry(reading, line: writtenLine(line), number: number, file: "a\u{1B}.log")
        }
        _ = DiagnosisDriver.catalog.explanation(of: reading)
      }
      guard goesOn == true else { break }
    }
    for report in reports { _ = report.ending }
  }
}

/// `lint` and `--flows`: files over the built-in ones, each behind its path.
struct OverlayDriver: Driver {
  let name = "overlay"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name)
      + (repository.tree("Flows") + repository.tree("Screens")).filter { $0.bytes.count < 40_000 }.map {
        Parts.one($0.path, $0.bytes)
      } + repository.literals("Tests/ReaderTests").map { Parts.one("Flows/other.yaml", $0) }
  }

  func run(_ input: [UInt8]) async {
    let parts = Parts(input, main: "Flows/start.yaml")
    let files = parts.names.filter { $0.contains("/") && $0.first != "/" }.map { ($0, parts.text($0) ?? "") }
    let read = Reader.read(
      files: Reader.overlay(Reader.builtIn, with: files), shapes: Check.all.map(\.shape),
      // Most of the time goes into what only shows across files.
      linting: input.fingerprint.isMultiple(of: 4), checkingPatterns: false)
    for problem in read.problems { _ = problem.description }
    guard let catalog = read.catalog else { return }
    for page in catalog.pages.values + catalog.guides.values + catalog.weaknesses.values {
      _ = pageText(page, catalog: catalog)
    }
    _ = glossaryText(catalog.glossary) + catalog.tree.dot(catalog) + catalog.tree.mermaid(catalog)
    for pattern in catalog.signs.lines.suffix(20) { _ = try? Pattern(pattern.pattern).matches(input) }
  }
}

struct YAMLDriver: Driver {
  let name = "yaml"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name) + repository.literals("Tests/YAMLTests", "Tests/DiscoveryTests/Proxies/TraefikTests.swift")
      + repository.files(in: "Tests/AdviceTests/Systems") { $0.hasSuffix(".yaml") }.map(\.bytes)
      + repository.tree("Flows").map(\.bytes).filter { $0.count < 8000 }
  }

  func run(_ input: [UInt8]) async {
    let text = String(decoding: input, as: UTF8.self)
    for dialect in [YAML.Dialect.own, .foreign] {
      let (root, mistakes) = YAML.read(text, file: "a.yaml", dialect)
      for mistake in mistakes { _ = mistake.message }
      if let root { count(root) }
    }
  }
}

struct TOMLDriver: Driver {
  let name = "toml"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name) + repository.literals("Tests/TOMLTests", "Tests/DiscoveryTests/Proxies/TraefikTests.swift")
      + repository.files(in: "Tests/AdviceTests/Systems") { $0.hasSuffix(".toml") }.map(\.bytes)
  }

  func run(_ input: [UInt8]) async {
    let (root, mistake) = TOML.read(String(decoding: input, as: UTF8.self), file: "a.toml")
    _ = mistake?.message
    if let root { count(root) }
  }
}

/// Goes to every node, but not for ever: an alias is a node in each of its places.
private func count(_ root: Document.Node) {
  var (open, left) = ([root], 200_000)
  while let node = open.popLast(), left > 0 {
    left -= 1
    _ = node.text?.count
    open += node.items + node.pairs.map(\.value)
  }
}

/// A database and its write-ahead log: the length of the database in four bytes, then both.
struct SQLiteDriver: Driver {
  let name = "sqlite"

  func seeds(_ repository: Repository) -> [[UInt8]] { repository.kept(name) }

  func run(_ input: [UInt8]) async {
    let length = input.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let rest = input.dropFirst(4)
    guard let database = try? Database(file: Array(rest.prefix(length)), log: Array(rest.dropFirst(length))) else {
      return
    }
    for table in ["proxy_host", "routes", "sqlite_schema"] { _ = try? database.rows("SELECT * FROM \(table)") }
  }
}

struct ArchiveDriver: Driver {
  let name = "archive"

  func seeds(_ repository: Repository) -> [[UInt8]] { repository.kept(name) }

  func run(_ input: [UInt8]) async {
    _ = try? Archive.entries(tar: input)
    var rest = input[...]
    guard
      let stream = try? Decompressor({ buffer in
        let piece = rest.prefix(buffer.count)
        buffer.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
      })
    else { return }
    var (buffer, left) = ([UInt8](repeating: 0, count: 65_536), 256)
    while left > 0, let count = try? buffer.withUnsafeMutableBytes({ try stream.read($0) }), count > 0 { left -= 1 }
  }
}

struct MarkdownDriver: Driver {
  let name = "markdown"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name) + repository.tree("Screens").map(\.bytes) + repository.literals("Tests/MarkdownTests")
  }

  func run(_ input: [UInt8]) async { _ = Markdown(String(decoding: input, as: UTF8.self)).blocks.count }
}

/// Addresses, and everything by which a text from outside becomes one that is shown.
struct TextDriver: Driver {
  let name = "text"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name) + repository.literals("Tests/ModelTests", "Tests/ProgramTests", "Tests/ReportTests")
      + logs(repository).prefix(40)
      + [
        "https://shop.example.org:8443/a?b=c#d", "[::1]:80", "user:secret@host/?token=x",
        "{upstream.port} ${HOME} {{json .State}}",
      ]
      .map { Array($0.utf8) }
  }

  func run(_ input: [UInt8]) async {
    let text = String(decoding: input, as: UTF8.self)
    for line in [text] + text.split(whereSeparator: \.isNewline).prefix(50).map(String.init) {
      if let site = Site(line) {
        expect(Site(site.url) == site, "an address can be written and read again")
        _ = site.at(port: 8080)
        _ = site.redirected(to: text)
      }
      expect(!line.printable.unicodeScalars.contains { $0.isUnsafe }, "printable leaves nothing unsafe")
      _ = line.redacted.redacted
      _ = line.trimmed.shortened(to: 40)
      _ = line.prefix(300).description.nearest(among: ["shop.example.org", "proxy_pass", line.lowercased()])
      _ = writtenLine(Array(line.utf8)).withoutColours
      let word = line.shellWord
      if let word { expect(!word.contains("\n"), "a word of a shell stands on one line") }
      let template = Template(line)
      let facts = Facts(Dictionary(template.placeholders.map { ($0, String(line.prefix(80))) }) { first, _ in first })
      expect(template.source == line, "a template keeps its source")
      _ = template.prose(facts)
      _ = try? template.literal(facts)
      _ = try? template.shell(facts)
      _ = try? template.lines(facts)
    }
  }
}
