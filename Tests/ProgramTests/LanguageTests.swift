import Testing

/// Which language is spoken.
@Suite struct LanguageTests {
  @Test func theEnvironmentChoosesAndAnOptionGoesBefore() async throws {
    func title(_ options: String..., environment: [String: String] = [:]) async throws -> String {
      let run = try await Program.run(["show", "wrong-port"] + options, environment: environment)
      #expect(run.status == 0)
      return String(run.output.prefix { $0 != "\n" })
    }
    let english = try await title()
    let german = try await title("--lang", "de")
    #expect(english == "The route goes to the wrong port")
    #expect(german != english)
    #expect(try await title(environment: ["LC_MESSAGES": "de_AT.UTF-8"]) == german)
    #expect(try await title(environment: ["LANG": "de_DE"]) == german)
    #expect(try await title(environment: ["LC_ALL": "C", "LANG": "de_DE"]) == english)
    #expect(try await title("--lang=en", environment: ["LANG": "de_DE"]) == english)
    #expect(try await title(environment: ["LANG": "fr_FR.UTF-8"]) == english)
  }

  @Test func aLanguageThatIsNotThereIsWrongUse() async throws {
    let run = try await Program.run("show", "--lang", "xx")
    #expect(run.status == 64)
    #expect(run.complaint?.contains("there are de, en") == true)
  }

  /// Other programs compare what is in JSON.
  @Test func jsonStaysAsItIsUnlessALanguageIsNamed() async throws {
    let line =
      "connect() failed (111: Connection refused) while connecting to upstream, upstream: \"http://10.0.0.2:3000/\""
    let folder = try Folder()
    try folder.write(line + "\n", to: "log")
    func explained(_ options: String..., environment: [String: String] = [:]) async throws -> String {
      try await Program.run(["explain", folder.path + "/log"] + options, environment: environment).output
    }
    let english = try await explained("--json")
    #expect(!english.isEmpty)
    #expect(try await explained("--json", environment: ["LANG": "de_DE.UTF-8"]) == english)
    #expect(try await explained("--json", "--lang", "de") != english)
    #expect(try await explained(environment: ["LANG": "de_DE.UTF-8"]) != explained())
  }
}
