// swift-tools-version:5.9
// 万户 for Swift: the facade, the half that is generated from the library of the same build, and the tests of both. `Generated`
// is laid here by `cargo xtask swift` and never committed. Must not know where the library lies: whoever links says so.
import PackageDescription

let strict: [SwiftSetting] = [.enableExperimentalFeature("StrictConcurrency")]

let package = Package(
    name: "Wanhu",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Wanhu", targets: ["Wanhu"])],
    targets: [
        .systemLibrary(name: "WanhuCoreFFI", path: "Generated/WanhuCoreFFI"),
        .systemLibrary(name: "WanhuFFIFFI", path: "Generated/WanhuFFIFFI"),
        // One module for both crates: the generated files use each other's types without importing them.
        .target(
            name: "WanhuFFI",
            dependencies: ["WanhuCoreFFI", "WanhuFFIFFI"],
            path: "Generated/WanhuFFI",
            linkerSettings: [.linkedLibrary("wanhu")]
        ),
        .target(name: "Wanhu", dependencies: ["WanhuFFI"], swiftSettings: strict),
        .testTarget(name: "WanhuTests", dependencies: ["Wanhu"], swiftSettings: strict),
    ]
)
