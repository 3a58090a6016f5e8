import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// What is drawn rather than said: the way, places side by side, columns, a second pane.
@Suite struct DrawingTests {
  private static let way = Way(
    stations: [
      .init(name: "browser", place: ""), .init(name: "Caddy", place: "container gateway"),
      .init(name: "shop:3000", place: "container shop-1"),
    ], links: [Span("✓"), Span("✗ port", spoken: "port NO")])

  private func text(_ rows: [Row]) -> [String] {
    rows.map { String(repeating: " ", count: $0.indent) + $0.spans.map(\.text).joined() }
  }

  @Test func theWayIsOneLineWhereThereIsRoom() {
    #expect(
      text(Self.way.rows(width: 76, isASCII: false)) == [
        "  browser ── ✓ ──▶ Caddy ────────────── ✗ port ──▶ shop:3000",
        "                   container gateway               container shop-1",
      ])
  }

  @Test func theWayGoesDownOnANarrowScreen() {
    #expect(
      text(Self.way.rows(width: 40, isASCII: false)) == [
        "  browser", "   │ ✓", "  Caddy, container gateway", "   │ ✗ port", "  shop:3000, container shop-1",
      ])
  }

  @Test func theWayIsSaidInWords() {
    #expect(Self.way.spoken == "browser; ✓; Caddy, container gateway; port NO; shop:3000, container shop-1")
  }

  @Test func placesStandSideBySideOrOneUnderTheOther() {
    let places = [["container proxy", "dials localhost"], ["container app", "listens on port 80", "here"]]
    #expect(
      text(Sheet.boxes(places, width: 60, false)) == [
        "  ┌─ container proxy ───────┐   ┌─ container app ─────────┐",
        "  │ dials localhost         │   │ listens on port 80      │",
        "  └─────────────────────────┘   │ here                    │",
        "                                └─────────────────────────┘",
      ])
    #expect(
      text(Sheet.boxes(places, width: 30, true)).prefix(3) == [
        "  ┌─ container proxy ────────┐", "  │ dials localhost          │", "  └──────────────────────────┘",
      ])
  }

  @Test(arguments: [40, 80, 120]) func noDrawingIsWiderThanItsScreen(_ width: Int) {
    let long = String(repeating: "a-long-name.", count: 9)
    let way = Way(
      stations: [.init(name: long, place: long), .init(name: long, place: ""), .init(name: "app", place: long)],
      links: [Span("✓"), Span("✗ port")])
    let rows = way.rows(width: width, isASCII: false) + Sheet.boxes([[long, long], [long, "b"]], width: width, false)
    for row in rows { #expect(row.indent + row.spans.reduce(0) { $0 + $1.text.columns } <= width) }
  }

  /// Nothing past the first look could be seen; what a person said names the cause, and its place gets the cross.
  @Test func theCrossFollowsTheCauseThatAnswersName() throws {
    var play = Play.blind()
    #expect(play.state.faultyHop == "site")
    play.press(.character("1"), .character("2"))
    let cause = try #require(play.state.session?.walk().causes.first?.cause)
    #expect(cause == "backend-stopped")
    #expect(play.state.faultyHop == ScreenCase.catalog().hop(of: cause))
    #expect(play.state.way.links.map { $0.text.first } == ["?", "✗"])
  }

  // MARK: The list of sites

  @Test func theListHasColumnsWhereThereIsRoom() {
    let wide = Play(size: Size(columns: 120, rows: 24))
    #expect(wide.text.contains("Answer  Site"))
    #expect(wide.text.contains("502     http://shop.example.org/  nginx, container edge  http://shop:3000"))
    #expect(!Play(size: Size(columns: 60, rows: 24)).text.contains("Answer  Site"))
  }

  @Test func whatDoesNotWorkComesFirst() {
    var play = Play()
    #expect(play.state.routes.map(\.mark) == [.bad, nil, .ok])
    play.press(.down)
    play.send(.route(.init(url: "http://a.example.org/", proxy: "nginx", upstream: "", status: "502", mark: .bad)))
    // What is under the cursor stays there.
    #expect(play.state.routes.map(\.mark) == [.bad, nil, .ok, .bad])
  }

  @Test func enterInAnEmptyFieldGoesToTheList() {
    var play = Play()
    play.press(.enter)
    #expect(play.state.scene == .start)
    play.press(.enter)
    #expect(play.state.scene == .path)
    #expect(play.state.field.text == "http://shop.example.org/")
  }

  // MARK: The second pane

  @Test func theSecondPaneShowsTheFocusedFindingAndTheFirstStep() {
    let wide = Size(columns: 160, rows: 40)
    var play = Play.diagnosed(size: wide)
    #expect(play.row(2).contains("│ step 1 of 4"))
    play.press(.character("e"))
    #expect(play.row(2).contains("│ Does the app listen on that port?"))
    play.press(.enter)
    #expect(!play.row(2).contains("│"))
  }

  @Test func nothingStandsBesideLinesThatAreRun() {
    var play = Play.diagnosed(size: Size(columns: 160, rows: 40))
    play.press(.enter)
    for row in 0..<38 { #expect(!play.row(row).contains("│")) }
  }

  // MARK: The focused row, and a patch

  @Test func theFocusedItemIsOneBar() throws {
    var play = Play()
    play.press(.down)
    let view = play.state.view()
    let line = try #require(view.cursor).row
    #expect(view.rows[line][2..<80].allSatisfy { $0.style.isReverse })
    #expect(!view.rows[line + 2][2..<80].contains { $0.style.isReverse })
  }

  @Test func aPatchHasTheColoursOfItsLines() {
    let sheet = Sheet(title: "", blocks: [.code("patch a <<'END'\n--- a\n+++ a\n-old\n+new\nEND", .patch)])
    let colours = sheet.rows(width: 80, isASCII: false).map { $0.spans[0].style.colour }
    #expect(colours == [.plain, .plain, .plain, .bad, .good, .plain])
  }
}
