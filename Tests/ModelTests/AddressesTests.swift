import Model
import Testing

@Suite struct AddressesTests {
  @Test(
    arguments: [
      ("172.18.0.0/16", "172.18.255.254", true), ("172.18.0.0/16", "172.19.0.1", false),
      ("10.0.0.5/32", "10.0.0.5", true),
      ("10.0.0.5/32", "10.0.0.4", false), ("0.0.0.0/0", "8.8.8.8", true), ("172.18.3.4/16", "172.18.0.9", true),
      ("172.18.0.0/16", "shop", false), ("172.18.0.0/16", "fd00::1", false),
      ("fd00:7b84::/64", "fd00:7b84::50", true), ("fd00:7b84::/64", "fd00:7b84:0:1::50", false),
      ("fd00:8000::/20", "fd00:8fff::1", true), ("::/0", "10.0.0.1", false), ("fd00::/128", "fd00:0:0::0", true),
    ])
  func aSubnetHasItsAddresses(range: String, address: String, expected: Bool) throws {
    #expect(try #require(Subnet(range)).contains(address) == expected)
  }

  @Test(arguments: [
    "", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "fd00:::/8", "10.0.0.256/8", "a/8", "10.0.0.0/",
  ])
  func whatIsNoSubnetIsNone(text: String) { #expect(Subnet(text) == nil) }

  @Test(
    arguments: [
      ("10.0.0.1", true, false), ("127.0.0.1", true, true), ("127.9.9.9", true, true), ("::1", true, true),
      ("[::1]", true, true), ("localhost", false, true), ("shop", false, false), ("1.2.3", false, false),
      ("1.2.3.4.example.org", false, false),
    ])
  func addressesAndLoopbackAreTold(text: String, isAddress: Bool, isLoopback: Bool) {
    #expect(text.isAddress == isAddress)
    #expect(text.isLoopback == isLoopback)
  }

  @Test(
    arguments: [
      ("10.0.0.3:80", "10.0.0.3", 80), ("[::1]:8080", "::1", 8080), ("app", "app", nil), ("::1", "::1", nil),
      ("[fd00::2]", "fd00::2", nil), ("app:99999", "app", nil), ("", "", nil),
    ] as [(String, String, UInt16?)])
  func hostAndPortAreTakenApart(text: String, host: String, port: UInt16?) {
    #expect(text.hostAndPort.host == host)
    #expect(text.hostAndPort.port == port)
  }

  @Test func anIPv6AddressIsInBracketsInAURL() {
    #expect("fd00::2".inURL == "[fd00::2]")
    #expect("[fd00::2]".inURL == "[fd00::2]")
    #expect("app".inURL == "app")
  }
}
