// Where the debug information of a stripped program is looked for.
#include "elf/separate_debug.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "fixtures.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

/// Puts the fixture where distributions put the debug file of the program with that build id.
fs::path install(const ScratchFolder& root, const std::string& name, const std::string& id) {
  const fs::path folder = fs::path(root.file(".build-id")) / id.substr(0, 2);
  fs::create_directories(folder);
  fs::path place = folder / (id.substr(2) + ".debug");
  fs::copy_file(fixture(name), place);
  return place;
}

TEST(SeparateDebug, IsFoundByTheBuildId) {
  const ElfFile program = ElfFile::open(fixture("stripped.so"));
  const ScratchFolder root;
  EXPECT_FALSE(find_separate_debug(program, root.file("")));
  const fs::path place = install(root, "linked.so.debug", program.build_id());
  const std::optional<ElfFile> found = find_separate_debug(program, root.file(""));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path(), place.string());
}

TEST(SeparateDebug, OfAnotherBuildIsNotTaken) {
  const ElfFile program = ElfFile::open(fixture("stripped.so"));
  const ScratchFolder root;
  install(root, "names_gcc_O0.so", program.build_id());
  EXPECT_FALSE(find_separate_debug(program, root.file("")));
}

}  // namespace
}  // namespace moult::internal
