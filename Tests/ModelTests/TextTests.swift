import Model
import Testing

@Suite struct TextTests {
  @Test(arguments: [
    ("plain-name_1.2/x:8080", "plain-name_1.2/x:8080"),
    ("two words", "'two words'"),
    ("it's", "'it'\\''s'"),
    ("$(reboot)", "'$(reboot)'"),
    ("`id`;&|<>", "'`id`;&|<>'"),
    ("größe", "'größe'"),
    ("*", "'*'"),
    ("~root", "'~root'"), ("=ls", "'=ls'"), ("a=b", "'a=b'"), ("{a,b}", "'{a,b}'"), ("!!", "'!!'"), ("#x", "'#x'"),
    ("cafe\u{301}", "'cafe\u{301}'"),
  ])
  func shellWordIsOneWord(text: String, word: String) {
    #expect(text.shellWord == word)
  }

  @Test(arguments: [
    "", "-rf", "a\nb", "a\u{1B}[2Jb", "a\u{202E}b", "a\u{200B}b", "tab\there", "\u{7F}", "\u{301}a",
    "x'\u{301}`id`'\u{301}", "a\u{A0}b", "a\u{3000}",
    "\u{3164}", "\u{115F}a", "\u{1160}", "\u{2800}", "a\u{FE0F}", "a\u{34F}b", "\u{FFA0}", "-\u{301}x", "\r\n",
    "a\u{FFFD}",
    "a" + String(repeating: "\u{301}", count: 5), String(repeating: "a", count: 2049),
    "shop.example.org/" + String(repeating: "a", count: 8000),
  ])
  func whatCannotBeShownAsItRunsIsNoShellWord(text: String) {
    #expect(text.shellWord == nil)
  }

  @Test(arguments: [
    ("a\u{1B}[31mb", "a^[[31mb"), ("a\r\nb", "a^M^Jb"), ("x\u{202E}y", "x<U+202E>y"), ("\u{9B}2J", "<U+9B>2J"),
    ("naïve 日本", "naïve 日本"), ("'\u{301}", "'<U+301>"), ("e\u{301}", "e\u{301}"), ("a\u{A0}b", "a<U+A0>b"),
    ("\u{3164}\u{2800}\u{FE0F}", "<U+3164><U+2800><U+FE0F>"),
  ])
  func hostileCharactersBecomeVisible(text: String, shown: String) {
    #expect(text.printable == shown)
  }

  @Test func aLongTextLosesItsMiddle() {
    #expect("abcdefghij".shortened(to: 5) == "ab…ij")
    #expect("abc".shortened(to: 5) == "abc")
  }
}

@Suite struct TemplateTests {
  private let facts: Facts = ["app.name": "my shop", "app.port": "3000", "app.evil": "x\u{1B}]52;c;AA\u{07}"]

  @Test func onlyDottedLowerCaseNamesArePlaceholders() throws {
    let template = Template("docker inspect -f '{{json .State}}' {app.name} | awk '{print $1}' ${HOME} {x}")
    #expect(template.placeholders == ["app.name"])
    #expect(
      try template.shell(facts) == "docker inspect -f '{{json .State}}' 'my shop' | awk '{print $1}' ${HOME} {x}")
  }

  @Test func aMissingFactFillsNothing() {
    #expect(Template("port {app.missing}").prose(facts) == nil)
  }

  @Test func proseShowsHostileTextAndCommandsRefuseIt() {
    #expect(Template("{app.evil}").prose(facts) == "x^[]52;c;AA^G")
    let evil = Template.Unfilled.withheld(value: "x\u{1B}]52;c;AA\u{07}")
    #expect(throws: evil) { try Template("echo {app.evil}").shell(facts) }
    #expect(throws: evil) { try Template("-{app.evil}").literal(facts) }
    #expect(throws: Template.Unfilled.unknown("app.missing")) { try Template("{app.evil} {app.missing}").shell(facts) }
  }
}

@Suite struct SiteTests {
  @Test(arguments: [
    ("shop.example.org", "http://shop.example.org/"),
    ("https://Shop.Example.org", "https://shop.example.org/"),
    ("shop.example.org:443/a?b=1#c", "https://shop.example.org/a?b=1"),
    ("http://10.0.0.1:8080/x", "http://10.0.0.1:8080/x"),
    ("http://[::1]:8080", "http://[::1]:8080/"),
  ])
  func whatIsTypedBecomesAURL(typed: String, url: String) {
    #expect(Site(typed)?.url == url)
  }

  @Test(arguments: [
    "", "http://", "ftp://x.org", "http://a b", "http://x:0", "http://x:99999", "http://-x", "a..b",
    "http://x\u{1B}[2J",
    "http://user@host/", "http://x:y:z",
  ])
  func whatIsNoURLIsRefused(typed: String) {
    #expect(Site(typed) == nil)
  }

  @Test func redirectsStayWithinTheHost() throws {
    let site = try #require(Site("http://a.example/x"))
    #expect(site.redirected(to: "https://a.example/x")?.url == "https://a.example/x")
    #expect(site.redirected(to: "/login")?.url == "http://a.example/login")
    #expect(site.redirected(to: "//b.example/") == nil)
    #expect(site.redirected(to: "https://b.example/") == nil)
    #expect(site.redirected(to: "http://a.example/x") == nil)
  }
}

@Suite struct SecondsTests {
  @Test(arguments: [(0.0024, "0.002"), (1.54, "1.5"), (60.004, "60"), (5.0, "5")])
  func secondsAreShort(seconds: Double, words: String) {
    #expect(seconds.inWords == words)
  }
}

@Suite struct DiffLineTests {
  /// A value of several lines brings its sign to each; an end of a known line may be nothing
  @Test func aValueOfSeveralLinesBringsItsSignToEach() throws {
    let facts: Facts = ["tls-line.text": "a:\n  b", "port-line.text": "p: 1", "port-line.head": "p: "]
    #expect(try Template("-{tls-line.text}").lines(facts) == ["-a:", "-  b"])
    #expect(try Template("+{port-line.head}2{port-line.tail}").lines(facts) == ["+p: 2"])
    #expect(throws: Template.Unfilled.unknown("host-line.head")) { try Template("+{host-line.head}2").lines(facts) }
    for text in ["a\u{1B}", "\u{301}a", "a\r\nb", "a\u{FFFD}", "a\u{A0}b"] {
      #expect(throws: Template.Unfilled.withheld(value: text)) {
        try Template("+{tls-line.text}").lines(["tls-line.text": text])
      }
    }
    #expect(try Template(" ").lines(facts) == [" "])
  }
}
