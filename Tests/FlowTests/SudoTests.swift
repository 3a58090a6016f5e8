import Flow
import Model
import Testing

/// A command has `sudo` for whoever needs it.
@Test func rootsShellNeedsNoSudo() throws {
  let page = Page(
    id: "sample", title: Template("Sample"), hides: [], explanation: [],
    sections: [
      .init(
        heading: "Look",
        steps: [
          .init(
            text: Template("See it."), when: [],
            body: .command(Template("sudo ss -ltn | sudo grep {app.name}; dmesg")), place: .host, changes: false)
        ])
    ], prevention: [], sources: [])
  let catalog = Catalog(
    tree: Tree(start: "", nodes: [:], follows: [:], contradictions: []), pages: [:], checks: [:], words: [:],
    signs: Signs())
  func command(_ facts: Facts) throws -> String? {
    try #require(page.sections(facts.merging(["app.name": "a sudo b"]), catalog).first).steps.first?.command
  }
  #expect(try command([:]) == "sudo ss -ltn | sudo grep 'a sudo b'; dmesg")
  #expect(try command(["user.root": "yes"]) == "ss -ltn | grep 'a sudo b'; dmesg")
}
