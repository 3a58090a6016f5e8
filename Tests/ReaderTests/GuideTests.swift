import Flow
import Model
import Reader
import Testing

/// Pages on what is true for no cause alone.
struct GuideTests {
  private static let path = "Screens/guides/release.md"
  private static let guide = """
    ---
    guide: release
    title: After a release of {site.host}
    sources: [experience]
    ---
    What changed last is the first place to look.

    ## Look at what changed
    <!-- when: proxy.kind = nginx -->
    Compare the files of {proxy.kind}.
    <!-- always -->
    List the changes.

    """

  private func sample(_ old: String = "", _ new: String = "") -> Sample {
    var sample = Sample()
    sample.files[Self.path] = old.isEmpty ? Self.guide : Self.guide.replacing(old, with: new)
    return sample
  }

  @Test func aGuideIsAPageThatNoBranchNames() throws {
    let catalog = try #require(sample().read().catalog)
    let guide = try #require(catalog.guides["release"])
    #expect(catalog.pages["release"] == nil)
    #expect(guide.title([.siteHost: "a.example"]) == "After a release of a.example")
    #expect(guide.explanation(Facts()) == "What changed last is the first place to look.")
    #expect(guide.sections(Facts(), catalog).flatMap(\.steps).map(\.text) == ["List the changes."])
    #expect(
      guide.sections(["proxy.kind": "nginx"], catalog).flatMap(\.steps).map(\.text)
        == ["Compare the files of nginx.", "List the changes."])
  }

  @Test(arguments: [
    ("guide: release", "guide: relaese", ["2:8: error: the guide 'relaese' is not this file's name, 'release'"]),
    (
      "guide: release", "cause: release",
      ["2:1: error: 'guide' is missing", "2:1: error: there is no key 'cause' here"]
    ),
    (
      "sources: [experience]", "sources: [experience]\nhides: [wrong-port]",
      ["5:1: error: there is no key 'hides' here"]
    ),
    ("{proxy.kind}", "{proxy.knid}", ["10:22: error: there is no fact 'proxy.knid'; did you mean 'proxy.kind'?"]),
    (
      "<!-- always -->\nList the changes.\n", "",
      ["1:1: error: every step needs facts that may be missing; one must do with site.* alone"]
    ),
  ])
  func aMistakeIsNamedWhereItStands(old: String, new: String, problems: [String]) {
    #expect(sample(old, new).read().problems == problems.map { "\(Self.path):\($0)" })
  }

  @Test func aGuideIsNotCalledLikeACause() {
    var sample = Sample()
    sample.files["Screens/guides/wrong-port.md"] = Self.guide.replacing("guide: release", with: "guide: wrong-port")
    #expect(
      sample.read().problems == ["Screens/guides/wrong-port.md:1:1: error: there is a cause called 'wrong-port', too"])
  }
}
