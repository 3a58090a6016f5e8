import Checks
import Flow
import Model
import Reader
import Report
import Testing

/// The first 24 rows of 80 columns of each page say what is wrong and what to do first.
@Suite struct FirstScreenTests {
  private static let catalog = Reader.read(
    files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false
  ).catalog

  /// The lines that fit, each taking as many rows as a terminal gives it.
  private static func firstScreen(of text: String) -> [String] {
    var rows = 0
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).prefix { line in
      rows += max(1, (line.count + 79) / 80)
      return rows <= 24
    }
  }

  @Test func whatIsWrongAndWhatToDo() throws {
    let catalog = try #require(Self.catalog)
    #expect(catalog.pages.count > 40)
    for page in catalog.pages.values {
      let screen = Self.firstScreen(of: pageText(page, catalog: catalog))
      #expect(screen.first?.isEmpty == false, "\(page.id) has no title")
      let first = try #require(
        screen.firstIndex { $0.hasPrefix("First: ") }, "\(page.id) does not say what to do first")
      #expect(screen[first].count <= 320, "\(page.id): the first step is long: \(screen[first])")
      #expect(
        screen.dropFirst().prefix(upTo: first).contains { !$0.isEmpty }
          || page.explanation.allSatisfy { !$0.when.isEmpty },
        "\(page.id) does not say what is wrong before")
    }
  }

  @Test func aGuideSaysWhatItIsFor() throws {
    for guide in try #require(Self.catalog).guides.values {
      let screen = Self.firstScreen(of: pageText(guide, catalog: try #require(Self.catalog)))
      #expect(screen.dropFirst().contains { $0.count > 30 }, "\(guide.id)")
    }
  }
}
