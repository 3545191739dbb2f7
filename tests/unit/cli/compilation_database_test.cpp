#include "compilation_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "failure.hpp"
#include "moult/error.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SplitCommand, UnderstandsQuotesAndBackslashes) {
  EXPECT_THAT(split_command(R"(g++ -DA="b c" '-DS="x"' -DQ=\"q\" a\ b.cpp "")"),
              ElementsAre("g++", "-DA=b c", "-DS=\"x\"", "-DQ=\"q\"", "a b.cpp", ""));
  EXPECT_THAT(split_command("  \t "), IsEmpty());
  EXPECT_THAT(split_command("'open"), ElementsAre("open"));
}

std::vector<std::string> kept(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "g++");
  return flags_for_update({"/build", "/src/app.cpp", "", std::move(arguments)}).flags;
}

TEST(FlagsForUpdate, KeepWhatDecidesHowTheCodeLooks) {
  EXPECT_THAT(
      kept({"-Iinc", "-I", "inc2", "-DA=1", "-isystem", "/s", "-std=gnu++20", "-O2", "-fno-rtti", "-m64"}),
      ElementsAre("-Iinc", "-I", "inc2", "-DA=1", "-isystem", "/s", "-std=gnu++20", "-O2", "-fno-rtti", "-m64"));
  EXPECT_THAT(kept({"-include", "pch.hxx", "--param", "x=1", "-Wp,-D_FORTIFY_SOURCE=2"}),
              ElementsAre("-include", "pch.hxx", "--param", "x=1", "-Wp,-D_FORTIFY_SOURCE=2"));
}

TEST(FlagsForUpdate, LeaveOutWhatIsOfThatOneCompilation) {
  EXPECT_THAT(kept({"-MD", "-MT", "app.o", "-MF", "app.d", "-MMD", "-MP", "-o", "app.o", "-c", "/src/app.cpp"}),
              IsEmpty());
  EXPECT_THAT(kept({"-oapp.o", "app.cpp", "-x", "c++"}), IsEmpty());
}

TEST(FlagsForUpdate, LeaveOutAPrecompiledHeaderThatFitsOtherFlagsAndKeepTheHeader) {
  EXPECT_THAT(kept({"-Winvalid-pch", "-Xclang", "-include-pch", "-Xclang", "/b/pch.hxx.pch", "-Xclang", "-include",
                    "-Xclang", "/b/pch.hxx", "-O2"}),
              ElementsAre("-Xclang", "-include", "-Xclang", "/b/pch.hxx", "-O2"));
  EXPECT_THAT(kept({"-include-pch", "/b/pch.hxx.pch", "-O2"}), ElementsAre("-O2"));
  EXPECT_THAT(kept({"-O2", "-include-pch"}), ElementsAre("-O2"));
}

TEST(FlagsForUpdate, LeaveOutWhatWouldHarm) {
  EXPECT_THAT(kept({"-Wall", "-Werror", "-w", "-pedantic", "-flto=auto", "-fno-fat-lto-objects", "-fPIE", "-static"}),
              IsEmpty());
  EXPECT_THAT(kept({"-fno-plt", "-fno-semantic-interposition"}), IsEmpty());
}

TEST(FlagsForUpdate, LookBehindACompilerWrapper) {
  const CompilerCall call =
      flags_for_update({"/build", "/a.cpp", "", {"/usr/bin/ccache", "/usr/bin/clang++", "-O1", "-c", "/a.cpp"}});
  EXPECT_EQ(call.compiler, "/usr/bin/clang++");
  EXPECT_THAT(call.flags, ElementsAre("-O1"));
}

CompileCommand command_of(const std::string& text, const std::string& file = "/src/app.cpp") {
  return {"/build", file, "", split_command(text)};
}

TEST(ArgumentsForObject, KeepEverythingButThePlacesOfResults) {
  EXPECT_THAT(
      arguments_for_object(command_of("ccache g++ -DA -Wall -O2 -fPIE -x c++ -MD -MT a.o -MF a.d -o a.o -c a.cpp")),
      ElementsAre("ccache", "g++", "-DA", "-Wall", "-O2", "-fPIE", "-x", "c++", "a.cpp"));
}

TEST(DependencyFile, IsWhatTheCommandNames) {
  EXPECT_EQ(named_dependency_file(command_of("g++ -MD -MF dir/a.d -c a.cpp")), "dir/a.d");
  EXPECT_EQ(named_dependency_file(command_of("g++ -c a.cpp -MF")), "");
  EXPECT_EQ(named_dependency_file(command_of("g++ -c a.cpp")), "");
}

TEST(Object, IsWhatTheDatabaseOrTheCommandNames) {
  EXPECT_EQ(object_of(command_of("g++ -c a.cpp -o dir/a.o")), "dir/a.o");
  EXPECT_EQ(object_of({"/build", "/src/a.cpp", "b.o", {"g++", "-o", "a.o"}}), "b.o");
  EXPECT_EQ(object_of(command_of("g++ -c a.cpp")), "");
}

TEST(LinkTimeOptimisation, IsWhatTheLastOptionSays) {
  EXPECT_TRUE(is_for_link_time_optimisation(command_of("g++ -flto=auto -fno-fat-lto-objects -c a.cpp")));
  EXPECT_FALSE(is_for_link_time_optimisation(command_of("g++ -flto -fno-lto -c a.cpp")));
  EXPECT_FALSE(is_for_link_time_optimisation(command_of("g++ -c a.cpp")));
}

TEST(CommandsOfProgram, AreOneForEachOfItsSourcesAndThoseOfItsTarget) {
  const std::vector<CompileCommand> commands{
      command_of("g++ -o CMakeFiles/other.dir/app.o -c /src/app.cpp"),
      command_of("g++ -o CMakeFiles/app.dir/app.o -c /src/app.cpp"),
      command_of("g++ -o CMakeFiles/app.dir/part.o -c /src/part.cpp", "/src/part.cpp"),
      command_of("g++ -o CMakeFiles/app.dir/test.o -c /src/test.cpp", "/src/test.cpp")};
  const ProgramSources sources{{"/src/app.cpp"}, {"/src/app.cpp", "/src/part.cpp"}, {}};
  EXPECT_THAT(commands_of_program(commands, "/build/app", sources), ElementsAre(&commands[1], &commands[2]));
}

TEST(ChooseCommand, PrefersTheFileWithMainAsItWasCompiledForThatProgram) {
  const std::vector<CompileCommand> commands = {
      {"/build", "/src/lib.cpp", "CMakeFiles/app.dir/lib.cpp.o", {}},
      {"/build", "/src/main.cpp", "CMakeFiles/other.dir/main.cpp.o", {}},
      {"/build", "/src/main.cpp", "CMakeFiles/app.dir/main.cpp.o", {}},
  };
  const ProgramSources sources{{"/src/main.cpp"}, {"/src/main.cpp", "/src/lib.cpp"}, {"/build"}};
  EXPECT_EQ(choose_command(commands, "/build/app", sources), &commands[2]);
  EXPECT_EQ(choose_command(commands, "/elsewhere/app2", sources), &commands[1]);
}

TEST(ChooseCommand, TakesAnotherOfTheProgramsSourcesWhenItIsNamedAfterTheProgram) {
  const std::vector<CompileCommand> commands = {
      {"/build", "/src/shared.cpp", "CMakeFiles/other.dir/shared.cpp.o", {}},
      {"/build", "/src/shared.cpp", "CMakeFiles/app.dir/shared.cpp.o", {}},
  };
  EXPECT_EQ(choose_command(commands, "/build/app", {{"/lib/main.cpp"}, {"/lib/main.cpp", "/src/shared.cpp"}, {}}),
            &commands[1]);
  EXPECT_EQ(choose_command(commands, "/build/app", {{}, {"/src/shared.cpp"}, {}}), &commands[1]);
  EXPECT_EQ(choose_command(commands, "/build/app", {}), &commands[1]) << "no debug information";
}

TEST(ChooseCommand, TakesNoneOfAnotherProgram) {
  const std::vector<CompileCommand> commands = {
      {"/build", "/src/main.cpp", "CMakeFiles/other.dir/main.cpp.o", {}},
      {"/build", "/src/shared.cpp", "CMakeFiles/other.dir/shared.cpp.o", {}},
      {"/build", "/src/app.cpp", "", {}},
  };
  const ProgramSources sources{{"/src/stranger.cpp"}, {"/src/stranger.cpp", "/src/shared.cpp"}, {"/build"}};
  EXPECT_EQ(choose_command(commands, "/build/stranger", sources), nullptr) << "it lies in the same folder, no more";
  EXPECT_EQ(choose_command(commands, "/build/stranger", {}), nullptr);
}

TEST(ChooseCommand, KnowsARelativeNameThatACompilersCacheTookOver) {
  const std::vector<CompileCommand> commands = {{"/build", "/src/main.cpp", "", {}}};
  const ProgramSources sources{
      {"/other/src/main.cpp", "../src/main.cpp"}, {"/other/src/main.cpp", "../src/main.cpp"}, {}};
  EXPECT_EQ(choose_command(commands, "/build/bin/app", sources), &commands[0]);
  EXPECT_EQ(choose_command(commands, "/other/build/app", sources), nullptr) << "it lies elsewhere";
}

TEST(SourcesOfProgram, AreThoseOfItsCompilationUnits) {
  const ProgramSources sources = sources_of_program("/proc/self/exe", "/proc/self/exe");
  EXPECT_THAT(sources.files, testing::Contains(testing::EndsWith("compilation_database_test.cpp")));
  EXPECT_THAT(sources.folders, testing::Not(IsEmpty()));
}

TEST(SourcesOfProgram, AreNoneWhereNothingIsKnown) {
  EXPECT_THAT(sources_of_program("/no/such/program", "program").files, IsEmpty());
  EXPECT_THAT(sources_of_program("/dev/null", "null").files, IsEmpty());
}

class Database : public testing::Test {
 protected:
  Database() {
    std::string pattern = (fs::temp_directory_path() / "moult-database-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    fs::create_directories(base_ / "build/deep");
    fs::create_directories(base_ / "src");
  }
  ~Database() override { fs::remove_all(base_); }

  fs::path put(const fs::path& file, const std::string& text) const {
    std::ofstream(base_ / file) << text;
    return base_ / file;
  }

  fs::path base_;
};

TEST_F(Database, HasCommandsInEitherForm) {
  const fs::path file = put("a.json", R"([{"directory":"/b","file":"a.cpp","command":"g++ -c 'a b'"},
                                        {"directory":"/b","file":"/s/c.cpp","arguments":["g++","-c"],"output":"o"}])");
  const std::vector<CompileCommand> commands = read_compilation_database(file);
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0].file, "/b/a.cpp");
  EXPECT_THAT(commands[0].arguments, ElementsAre("g++", "-c", "a b"));
  EXPECT_THAT(commands[1].arguments, ElementsAre("g++", "-c"));
  EXPECT_EQ(commands[1].output, "o");
}

TEST_F(Database, ThatIsNoneIsAnErrorThatNamesIt) {
  for (const char* text : {"", "{", "[7]", R"([{"file":"a"}])"}) {
    const fs::path file = put("bad.json", text);
    try {
      read_compilation_database(file);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("bad.json"));
    }
  }
}

TEST_F(Database, IsLookedForFromTheProgramUpwardsThenFromTheUpdate) {
  const std::string program = base_ / "build/deep/app";
  const std::string update = base_ / "src/update.cpp";
  EXPECT_THROW(find_compilation_database(base_ / "build", program, update), CommandFailure);
  const fs::path by_update = put("src/compile_commands.json", "[]");
  EXPECT_EQ(find_compilation_database("", program, update), by_update);
  const fs::path by_program = put("build/compile_commands.json", "[]");
  EXPECT_EQ(find_compilation_database("", program, update), by_program);
  EXPECT_EQ(find_compilation_database(base_ / "src", program, update), by_update);
  EXPECT_EQ(find_compilation_database(by_update, program, update), by_update);
}

}  // namespace
}  // namespace moult::internal::cli
