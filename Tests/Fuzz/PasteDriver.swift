import Flow
import Model
import Pasted
import World

/// A diagnosis of a machine of which the input is a paste: what commands have printed there, or anything else.
struct PasteDriver: Driver {
  let name = "paste"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    let outputs = repository.tree("Tests/PastedTests/Outputs").map(\.bytes)
    return repository.kept(name) + outputs + [Array(outputs.joined(separator: [0x0A]))]
  }

  func run(_ input: [UInt8]) async {
    // Nothing can be seen but what is in the paste.
    let catalog = DiagnosisDriver.catalog
    let world = PastedWorld(String(decoding: input, as: UTF8.self), before: Recording(), signs: catalog.signs)
    for url in ["http://127.0.0.1:8087/", "http://shop.example.org/"] {
      guard let site = Site(url) else { continue }
      DiagnosisDriver.report(await DiagnosisDriver.diagnose(site, world, catalog), catalog)
    }
  }
}
