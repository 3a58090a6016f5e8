import Testing
import World

@testable import HTTP

@Test(arguments: [
  (HTTPRequest(url: "http://site.test/a?b"), "::site.test:80", "site.test", "http://site.test/a?b"),
  (HTTPRequest(url: "https://site.test"), "::site.test:443", "site.test", "https://site.test/"),
  (HTTPRequest(url: "http://[::1]:8080/"), "::[::1]:8080", "::1", "http://[::1]:8080/"),
  (HTTPRequest(url: "http://site.test/", address: "10.0.0.2"), "::10.0.0.2:80", "site.test", "http://site.test/"),
  (HTTPRequest(url: "http://site.test/", address: "::2", port: 81), "::[::2]:81", "site.test", "http://site.test/"),
  (
    HTTPRequest(url: "https://10.0.0.2:8443/x", host: "shop.test:444"), "::10.0.0.2:8443", "shop.test",
    "https://shop.test:8443/x"
  ),
  (HTTPRequest(url: "http://site.test/a/../b"), "::site.test:80", "site.test", "http://site.test/a/../b"),
])
func aDialSaysWhereToConnectAndWhomToExpect(request: HTTPRequest, connectTo: String, name: String, url: String) throws {
  let dial = try Dial(request)
  #expect(dial.connectTo == connectTo)
  #expect(dial.name == name)
  #expect(dial.url == url)
}

@Test(arguments: [
  (HTTPRequest(url: "ftp://site.test/"), "the scheme is ftp"),
  (HTTPRequest(url: "http://site.test:99999/"), "Port number was not a decimal number between 0 and 65535"),
  (HTTPRequest(url: "http://site.test:0/"), "the port is 0"),
  (HTTPRequest(url: "no url"), "Bad scheme"),
  (HTTPRequest(url: "http:///"), "No host part in the URL"),
  (HTTPRequest(url: "http://a/", host: "b\r\nX-Evil: 1"), "a header has a control character in it"),
  (HTTPRequest(url: "http://a/", headers: ["X: 1\nY: 2"]), "a header has a control character in it"),
  (HTTPRequest(url: "http://a/", address: "10.0.0.2 x"), "the address is not one"),
  (HTTPRequest(url: "http://a/", address: ""), "the address is not one"),
])
func whatCannotBeAskedForIsSaid(request: HTTPRequest, reason: String) {
  #expect(throws: BadURL(reason: reason)) { try Dial(request) }
}
