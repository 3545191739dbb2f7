#include "recorded_dependencies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace moult::internal::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(NinjaDependencies, AreTheFilesOfEachObject) {
  EXPECT_THAT(parse_ninja_dependencies("a.o: #deps 2, deps mtime 17 (VALID)\n    ../a.cpp\n    /usr/include/a b.h\n\n"
                                       "dir/b.o: #deps 1, deps mtime 18 (VALID)\n    ../b.cpp\n\n"),
              ElementsAre(Pair("a.o", ElementsAre("../a.cpp", "/usr/include/a b.h")),
                          Pair("dir/b.o", ElementsAre("../b.cpp"))));
}

TEST(NinjaDependencies, ThatAreStaleOrNoneAreLeftOut) {
  EXPECT_THAT(parse_ninja_dependencies("a.o: #deps 1, deps mtime 17 (STALE)\n    ../a.cpp\n\n"), IsEmpty());
  EXPECT_THAT(parse_ninja_dependencies("a.o: deps not found\n"), IsEmpty());
  EXPECT_THAT(parse_ninja_dependencies("ninja: error: loading 'build.ninja': No such file or directory\n"), IsEmpty());
  EXPECT_THAT(parse_ninja_dependencies(""), IsEmpty());
}

TEST(RecordedDependencies, AreInAFileThatIsNamedOrBesideTheObject) {
  std::string folder = (std::filesystem::temp_directory_path() / "moult_dependencies_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const char* const file : {"named", "b.o.d", "c.d"})
    std::ofstream(std::filesystem::path(folder) / file) << "x.o: " << file << ".cpp\n";
  RecordedDependencies recorded(folder, std::chrono::steady_clock::now());
  const auto of = [&](std::vector<std::string> arguments) {
    return recorded.of({folder, "x.cpp", "", std::move(arguments)}).value_or(std::vector<std::string>{});
  };
  EXPECT_THAT(of({"g++", "-MF", "named", "-o", "b.o"}), ElementsAre("named.cpp"));
  EXPECT_THAT(of({"g++", "-o", "b.o"}), ElementsAre("b.o.d.cpp"));
  EXPECT_THAT(of({"g++", "-o", "c.o"}), ElementsAre("c.d.cpp"));
  std::filesystem::remove_all(folder);
}

TEST(RecordedDependencies, HaveTheHeadersInsideOfAPrecompiledHeader) {
  std::string folder = (std::filesystem::temp_directory_path() / "moult_dependencies_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto write = [&](const char* file, const char* text) {
    std::ofstream(std::filesystem::path(folder) / file) << text;
  };
  write("a.o.d", "a.o: a.cpp pch.hpp.gch\n");
  write("pch.hpp.gch", "");
  RecordedDependencies recorded(folder, std::chrono::steady_clock::now());
  const CompileCommand command{folder, "a.cpp", "", {"g++", "-include", folder + "/pch.hpp", "-o", "a.o"}};
  EXPECT_FALSE(recorded.of(command)) << "what the precompiled header was made of is not known";
  write("pch.hpp.gch.d", "pch.hpp.gch: pch.hpp inner.hpp\n");
  EXPECT_THAT(recorded.of(command).value_or(std::vector<std::string>{}),
              ElementsAre("a.cpp", "pch.hpp.gch", "pch.hpp", "inner.hpp"));
  std::filesystem::remove_all(folder);
}

TEST(RecordedDependencies, AreNoneWhereTheBuildHasLeftNothing) {
  RecordedDependencies recorded("/nowhere", std::chrono::steady_clock::now());
  EXPECT_FALSE(recorded.of({"/nowhere", "/nowhere/a.cpp", "a.o", {"g++", "-c", "a.cpp", "-MF", "a.d"}}));
}

}  // namespace
}  // namespace moult::internal::cli
