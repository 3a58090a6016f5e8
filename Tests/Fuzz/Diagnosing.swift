import Checks
import Discovery
import Flow
import FoundationEssentials
import Model
import Reader
import Report
import World

/// Whole diagnoses of one kind of proxy, whose configuration is the input, on the machine and in a container in turn.
struct DiagnosisDriver: Driver {
  let name: String
  let proxy: InventedProxy
  /// The part that an input without parts is.
  var main: String?
  let own: @Sendable (Repository) -> [[UInt8]]

  func seeds(_ repository: Repository) -> [[UInt8]] { repository.kept(name) + own(repository) }

  func run(_ input: [UInt8]) async {
    let parts = Parts(input, main: main ?? proxy.main)
    let kinds: [InventedMachine.Kind] = [.host, .container, .host, .container, .stopped]
    let kind = kinds[Int(input.fingerprint % UInt64(kinds.count))]
    let machine = InventedMachine(proxy: proxy, kind: kind, parts: parts)
    let catalog = Self.catalog
    let sites = (try? await RouteReading.sites(in: machine, catalog.signs))?.sites ?? []
    // The site that is asked for, and one that the proxy says it has.
    let listed = sites.isEmpty ? nil : sites[Int(input.fingerprint / 8 % UInt64(sites.count))].site
    for site in [Site(machine.site) ?? Site("http://shop.example.org/"), listed].compactMap({ $0 }) {
      let diagnosis = await Self.diagnose(site, machine, catalog)
      Self.report(diagnosis, catalog)
    }
  }

  static let catalog: Catalog = {
    let read = Reader.read(
      files: Reader.builtIn, shapes: Check.all.map(\.shape), linting: false, checkingPatterns: false)
    guard let catalog = read.catalog else { fatalError("the built-in data: \(read.problems)") }
    return catalog
  }()

  /// One check after the other, so that the same input always goes the same way; also those that the tree needs no more.
  static func diagnose(_ site: Site, _ world: any World, _ catalog: Catalog) async -> Diagnosis {
    let given = site.facts.merging([.limitSeconds: "20", .seriesCount: "3"])
    var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given)
    for _ in 0..<3 {
      var ready = session.start()[...]
      while let name = ready.popFirst() {
        guard let check = Check.named(name) else { continue }
        ready += session.learn(await check.finding(in: world, facts: session.facts, signs: catalog.signs))
      }
      guard let next = session.onward() else { break }
      session = next
    }
    return session.diagnosis()
  }

  static func report(_ diagnosis: Diagnosis, _ catalog: Catalog) {
    let json = jsonReport(diagnosis, catalog: catalog)
    expect((try? JSONDecoder().decode(AnyDocument.self, from: Data(json.utf8))) != nil, "the report is JSON")
    for report in [textReport(diagnosis, catalog: catalog), markdownReport(diagnosis, catalog: catalog)] {
      let unsafe = report.unicodeScalars.first { $0.isUnsafe && $0 != "\n" && $0 != "\t" }
      expect(
        unsafe == nil,
        "a report shows nothing that a terminal would obey, not U+\(String(unsafe?.value ?? 0, radix: 16))")
    }
  }
}

/// A document of which only the form is looked at.
private struct AnyDocument: Decodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Name.self) }
}
