#include "symbols/program.hpp"
#include "elf/elf_file.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/fd.hpp"
#include "fixtures.hpp"
#include "moult/error.hpp"

extern "C" __attribute__((noinline, used)) int function_of_the_test(int x) {
  asm volatile("");
  return x + 1;
}

namespace moult::internal {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

CodeAddress address_of_the_test_function() {
  return CodeAddress{reinterpret_cast<std::uintptr_t>(&function_of_the_test)};
}

TEST(OfThisProcess, FindsAFunctionWhereItIs) {
  const std::vector<FunctionSymbol> found = Program::of_this_process().find("function_of_the_test");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().range.begin, address_of_the_test_function());
}

TEST(OfThisProcess, FindsFunctionsOfLibraries) {
  const std::vector<FunctionSymbol> found = Program::of_this_process().find("cxa_nothing");
  EXPECT_THAT(found, SizeIs(0));
  const std::vector<FunctionSymbol> throws = Program::of_this_process().find("__cxa_throw");
  EXPECT_TRUE(std::any_of(throws.begin(), throws.end(), [](const FunctionSymbol& function) {
    return function.module.find("libstdc++") != std::string::npos;
  }));
}

TEST(OfThisProcess, NamesTheVdso) {
  const Program program = Program::of_this_process();
  const auto vdso = std::find_if(program.modules().begin(), program.modules().end(),
                                 [](const Module& module) { return module.path == "[vdso]"; });
  ASSERT_NE(vdso, program.modules().end());
  const std::vector<FunctionSymbol> found = program.find("__vdso_clock_gettime");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(vdso->text.contains(found.front().range.begin));
}

TEST(OfThisProcess, KnowsNothingOfAnAddressOutsideTheModules) {
  int on_the_stack = 0;
  EXPECT_FALSE(Program::of_this_process().at(CodeAddress{reinterpret_cast<std::uintptr_t>(&on_the_stack)}));
}

TEST(OfThisProcess, TakesNoSymbolsFromAFileThatWasReplacedSinceItWasLoaded) {
  const ScratchFolder folder;
  const std::string path = folder.file("replaced.so");
  std::filesystem::copy_file(fixture("names_gcc_O0.so"), path);
  void* library = ::dlopen(path.c_str(), RTLD_NOW);
  ASSERT_NE(library, nullptr) << ::dlerror();
  std::filesystem::copy_file(fixture("names_gcc_O2.so"), folder.file("new.so"));
  std::filesystem::rename(folder.file("new.so"), path);
  const Program program = Program::of_this_process();
  const std::vector<FunctionSymbol> found = program.find("other_plain");
  const auto module = std::find_if(program.modules().begin(), program.modules().end(),
                                   [&](const Module& candidate) { return candidate.path == path; });
  ASSERT_NE(module, program.modules().end());
  if (found.empty()) {
    EXPECT_THAT(module->problem, HasSubstr("since it was loaded"));
  } else {  // with privilege the old file is still reached
    EXPECT_EQ(value(found.front().range.begin), reinterpret_cast<std::uintptr_t>(::dlsym(library, "other_plain")));
  }
  ::dlclose(library);
}

/// A copy of this process that does nothing until the test ends.
class IdleChild final {
 public:
  IdleChild() {
    int ends[2];
    if (::pipe(ends) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[1]);
      char byte = 0;
      [[maybe_unused]] const ssize_t end_of_file = ::read(ends[0], &byte, 1);
      ::_exit(0);
    }
    ::close(ends[0]);
    keeps_it_ = Fd(ends[1]);
  }
  ~IdleChild() {
    keeps_it_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  IdleChild(const IdleChild&) = delete;
  IdleChild& operator=(const IdleChild&) = delete;

  int pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  Fd keeps_it_;
};

TEST(OfProcess, FindsAFunctionOfAnotherProcess) {
  const IdleChild child;
  const Program program = Program::of_process(child.pid());
  const std::vector<FunctionSymbol> found = program.find("function_of_the_test");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().range.begin, address_of_the_test_function()) << "a forked copy has the same addresses";
}

alignas(4096) volatile char pages_of_data[3 * 4096] = {1};

TEST(OfProcess, AModuleIsOneWhateverLiesBetweenItsMappings) {
  char* const middle = const_cast<char*>(pages_of_data) + 4096;
  ASSERT_NE(::mmap(middle, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), MAP_FAILED);
  const IdleChild child;
  const Program program = Program::of_process(child.pid());
  const std::string own = program.modules().front().path;
  EXPECT_EQ(std::count_if(program.modules().begin(), program.modules().end(),
                          [&](const Module& module) { return module.path == own; }),
            1);
}

TEST(OfProcess, SeesTheModulesThatTheProcessItselfSees) {
  const IdleChild child;
  const Program own = Program::of_this_process();
  const Program other = Program::of_process(child.pid());
  EXPECT_EQ(other.modules().front().path, own.modules().front().path);
  for (const Module& module : own.modules()) {
    const auto same = std::find_if(other.modules().begin(), other.modules().end(), [&](const Module& candidate) {
      return candidate.path == module.path || std::filesystem::weakly_canonical(module.path) == candidate.path;
    });
    ASSERT_NE(same, other.modules().end()) << module.path;
    EXPECT_EQ(same->bias, module.bias) << module.path;
    EXPECT_EQ(same->text, module.text) << module.path;
  }
}

TEST(OfProcess, SaysThatThereIsNoSuchProcess) {
  try {
    Program::of_process(999999999);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("999999999"));
  }
}

TEST(OfFile, SaysWhatCannotBeRead) {
  const ScratchFolder folder;
  std::ofstream(folder.file("empty")) << "";
  std::ofstream(folder.file("text")) << "this is no program\n";
  for (const std::string& path : {folder.file("missing"), folder.file(""), folder.file("empty"), folder.file("text")}) {
    try {
      Program::of_file(path);
      FAIL() << "no error for " << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unreadable);
      EXPECT_THAT(error.what(), HasSubstr(path));
    }
  }
}

TEST(StrippedProgram, HasOnlyItsDynamicSymbols) {
  const Program program = Program::of_file(fixture("stripped.so"));
  EXPECT_THAT(program.find("plain"), SizeIs(1));
  EXPECT_THAT(program.find("twin"), SizeIs(0));
}

TEST(StrippedProgram, IsKnownAsOne) {
  EXPECT_TRUE(Program::of_file(fixture("stripped.so")).is_stripped());
  EXPECT_FALSE(Program::of_file(fixture("linked.so")).is_stripped());
  EXPECT_FALSE(Program::of_file(fixture("names_gcc_O2.so")).is_stripped());
}

TEST(StrippedProgram, TellsTheRangeOfAFunctionByItsUnwindTable) {
  const FunctionSymbol local = Program::of_file(fixture("names_gcc_O2.so")).find("names_a.cpp:twin").front();
  const std::optional<FunctionSymbol> found = Program::of_file(fixture("stripped.so")).at(local.range.begin + 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mangled, "");
  EXPECT_EQ(found->range, local.range);
}

TEST(StrippedProgram, TakesItsSymbolsFromTheFileItsDebugLinkNames) {
  EXPECT_THAT(Program::of_file(fixture("linked.so")).find("twin"), SizeIs(2));
  EXPECT_THAT(Program::of_file(fixture("checksum.so")).find("twin"), SizeIs(1));
}

TEST(StrippedProgram, RefusesTheDebugFileOfAnotherBuild) {
  const ScratchFolder folder;
  std::filesystem::copy_file(fixture("linked.so"), folder.file("linked.so"));
  std::filesystem::copy_file(fixture("names_gcc_O0.so"), folder.file("linked.so.debug"));
  EXPECT_THAT(Program::of_file(folder.file("linked.so")).find("twin"), SizeIs(0));
  std::filesystem::copy_file(fixture("checksum.so"), folder.file("checksum.so"));
  std::filesystem::copy_file(fixture("without_id.so"), folder.file("checksum.so.debug"));
  EXPECT_THAT(Program::of_file(folder.file("checksum.so")).find("twin"), SizeIs(0));
}

TEST(BuildId, IsReadInHex) {
  EXPECT_EQ(build_id_of(fixture("with_id.so")), "0123456789abcdef");
  EXPECT_EQ(build_id_of(fixture("without_id.so")), "");
  EXPECT_EQ(build_id_of(fixture("linked.so.debug")), build_id_of(fixture("linked.so")));
  EXPECT_THAT(build_id_of(fixture("linked.so")), SizeIs(40));
}

}  // namespace
}  // namespace moult::internal
