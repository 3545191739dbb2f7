// Fresh objects against linked programs: g++ and clang, C and C++, with the linker's simplifications.
#include "diff/file_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../symbols/fixtures.hpp"
#include "code/decoder.hpp"
#include "image.hpp"
#include "moult/error.hpp"

namespace moult::internal::diff {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

FileComparison compared(const std::string& program, const std::string& object) {
  const ElfFile program_file = ElfFile::open(fixture(program));
  const ElfFile object_file = ElfFile::open(fixture(object));
  const std::unique_ptr<DebugInfo> debug_info = DebugInfo::open(program_file);
  return compare(ObjectFile(object_file), LinkedFile(program_file), debug_info.get());
}

/// "changed app::f(int)", without the reason. A shared function that differs is left to the source that the program has
/// it from: clang calls the initialisation of a thread_local by way of a wrapper, which is shorter in one source.
std::vector<std::string> differences(const FileComparison& comparison) {
  std::vector<std::string> lines;
  for (const ComparedItem& each : comparison.items)
    if (each.outcome != DiffOutcome::same && each.origin.empty())
      lines.push_back(std::string(name_of(each.outcome)) + " " + each.name);
  return lines;
}

std::vector<std::string> differences_without_dropped(const FileComparison& comparison) {
  std::vector<std::string> lines = differences(comparison);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("dropped "); });
  return lines;
}

std::string reason_of(const FileComparison& comparison, const std::string& name) {
  for (const ComparedItem& each : comparison.items)
    if (each.name == name) return each.reason;
  return "there is no such function";
}

class EveryProgram : public testing::TestWithParam<const char*> {
 protected:
  std::string program() const { return GetParam(); }
};

TEST_P(EveryProgram, EqualsItsOwnSourcesInEveryFunction) {
  MOULT_NEEDS_FIXTURE(program());
  for (const char* const object : {".app.o", ".deeper.o", ".counts.o"}) {
    const FileComparison comparison = compared(program(), program() + object);
    EXPECT_THAT(differences(comparison), IsEmpty()) << object;
    EXPECT_GE(comparison.count(ItemKind::function, DiffOutcome::same), 5) << object;
    EXPECT_FALSE(comparison.is_of_other_build());
  }
}

// Three sources have one name. The third has nothing static, so that its functions fit each of them.
TEST_P(EveryProgram, TellsSourcesOfOneNameApart) {
  MOULT_NEEDS_FIXTURE(program());
  const FileComparison comparison = compared(program(), program() + ".again.o");
  EXPECT_THAT(differences(comparison), UnorderedElementsAre("unknown without_size"));
  EXPECT_THAT(reason_of(comparison, "without_size"), HasSubstr("it has no size"));
}

TEST_P(EveryProgram, ShowsWhatWasEditedAndNothingElse) {
  MOULT_NEEDS_FIXTURE(program());
  EXPECT_THAT(differences(compared(program(), program() + ".edited.o")),
              UnorderedElementsAre("changed app::multiplied(int)",      // a number
                                   "changed app::greet()",              // a text
                                   "changed app::calls_one(int)",       // another function is called
                                   "changed app::uses_one(int)",        // another variable is used
                                   "changed app::weigh(unsigned int)",  // a constant table has another number
                                   "changed app::choose(int, int)",     // one case of a switch
                                   "changed app::catches(int)",         // another type is caught
                                   "new app::added(int)", "gone app::removed(int)", "gone app::removed_static(int)",
                                   "changed app::weights", "gone app::kept_pointer"));
}

TEST_P(EveryProgram, ShowsVariablesAndConstantsWhoseContentWasEdited) {
  MOULT_NEEDS_FIXTURE(program());
  EXPECT_THAT(differences(compared(program(), program() + ".edited_deeper.o")),
              UnorderedElementsAre("changed app::counter",          // another initial value
                                   "changed app::calls_of_thread",  // one that was zero
                                   "changed app::limits",           // a constant
                                   "changed app::helpers"));        // a pointer to another function
}

// first and second are in one section, and the edit has changed the second one.
TEST_P(EveryProgram, FollowsNumberedVariablesOfCAndTellsConstantsInOneSectionApart) {
  MOULT_NEEDS_FIXTURE(program());
  std::vector<std::string> found = differences(compared(program(), program() + ".edited_counts.o"));
  std::erase(found, "new added_count.count");  // clang gives such variables a name of their own
  EXPECT_THAT(found, UnorderedElementsAre("new added_count", "changed uses_second", "changed second"));
}

/// The outcome of one function of an object with another byte at `offset` of the file.
DiffOutcome outcome_with_change(const LinkedFile& program, std::vector<char> image, std::size_t offset,
                                const std::string& symbol) {
  image[offset] = static_cast<char>(image[offset] ^ 0x10);
  const ElfFile file = ElfFile::of_image(std::move(image), "changed.o");
  const FileComparison comparison = compare(ObjectFile(file), program, nullptr);
  const auto found = std::ranges::find(comparison.items, symbol, &ComparedItem::symbol);
  return found == comparison.items.end() ? DiffOutcome::gone : found->outcome;
}

TEST_P(EveryProgram, EachByteThatTheLinkerDoesNotWriteCounts) {
  MOULT_NEEDS_FIXTURE(program());
  const ElfFile program_file = ElfFile::open(fixture(program()));
  const LinkedFile linked(program_file);
  const std::vector<char> image = image_of(fixture(program() + ".counts.o"));
  const ElfFile file = ElfFile::of_image(image, "counts.o");
  const ObjectFile object(file);
  std::size_t bytes = 0;
  for (const ObjectFunction& function : object.functions()) {
    const std::span<const std::uint8_t> code = object.section(function.piece).bytes;
    const std::size_t at = static_cast<std::size_t>(reinterpret_cast<const char*>(code.data()) - file.bytes().data());
    for (std::uint64_t offset = function.piece.begin; offset < function.piece.end;) {
      const std::optional<Instruction> instruction = decode(code.subspan(offset), CodeAddress{offset});
      ASSERT_TRUE(instruction);
      const Piece covered{function.piece.section, offset, offset + instruction->length};
      const bool is_written = !object.relocations_of(covered).empty() || instruction->kind == InstructionKind::nop;
      const std::string symbol(object.symbols()[function.symbols.front()].name);
      for (std::uint64_t each = covered.begin; !is_written && each < covered.end; ++each, ++bytes)
        EXPECT_NE(outcome_with_change(linked, image, at + each, symbol), DiffOutcome::same) << symbol << " +" << each;
      offset = covered.end;
    }
  }
  EXPECT_GT(bytes, 40);
}

INSTANTIATE_TEST_SUITE_P(FileComparison, EveryProgram,
                         testing::Values("gcc_O0", "gcc_O2", "gcc_pic", "gcc_fixed", "gcc_absolute", "clang_O0",
                                         "clang_O2", "clang_pic", "clang_fixed", "clang_lld"),
                         [](const auto& each) { return std::string(each.param); });

TEST(FileComparison, GivesTheFirstDifference) {
  MOULT_NEEDS_FIXTURE("gcc_O2");
  const FileComparison comparison = compared("gcc_O2", "gcc_O2.edited.o");
  EXPECT_THAT(reason_of(comparison, "app::calls_one(int)"),
              HasSubstr("it uses app::other_helper(int) instead of app::helper(int)"));
  EXPECT_THAT(reason_of(comparison, "app::uses_one(int)"),
              HasSubstr("it uses app::other_counter instead of app::counter"));
  EXPECT_THAT(reason_of(comparison, "app::weigh(unsigned int)"), HasSubstr("a constant or text that it uses differs"));
  EXPECT_THAT(reason_of(comparison, "app::catches(int)"), HasSubstr("it catches another type"));
}

TEST(FileComparison, ASharedFunctionIsJudgedByTheSourceThatTheProgramHasItFrom) {
  MOULT_NEEDS_FIXTURE("clang_O0");
  const FileComparison comparison = compared("clang_O0", "clang_O0.deeper.o");
  const auto wrapper = std::ranges::find(comparison.items, "_ZTWN3app15calls_of_threadE", &ComparedItem::symbol);
  ASSERT_NE(wrapper, comparison.items.end());
  EXPECT_EQ(wrapper->outcome, DiffOutcome::unknown);
  EXPECT_THAT(wrapper->origin, EndsWith("fixtures/app.cpp"));
}

TEST(FileComparison, FunctionsThatTheLinkerDroppedAreNotNew) {
  MOULT_NEEDS_FIXTURE("gcc_collected");
  const FileComparison comparison = compared("gcc_collected", "gcc_collected.app.o");
  EXPECT_GE(comparison.count(ItemKind::function, DiffOutcome::dropped), 2);
  EXPECT_THAT(differences_without_dropped(comparison), IsEmpty());
  EXPECT_THAT(differences_without_dropped(compared("gcc_collected", "gcc_collected.edited.o")),
              Contains("new app::added(int)"));
}

TEST(FileComparison, OtherFlagsShow) {
  MOULT_NEEDS_FIXTURE("gcc_O2");
  EXPECT_TRUE(compared("gcc_O2", "gcc_O0.app.o").is_of_other_build());
}

TEST(FileComparison, AnotherCompilerShows) {
  MOULT_NEEDS_FIXTURE("gcc_O2");
  MOULT_NEEDS_FIXTURE("clang_O2");
  EXPECT_TRUE(compared("gcc_O2", "clang_O2.app.o").is_of_other_build());
}

TEST(FileComparison, AStrippedProgramIsRefusedWithTheNextStep) {
  MOULT_NEEDS_FIXTURE("stripped");
  const ElfFile file = ElfFile::open(fixture("stripped"));
  try {
    const LinkedFile program(file);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("has no symbol table"));
    EXPECT_THAT(error.what(), HasSubstr("compare the file before strip"));
  }
}

TEST(FileComparison, AnObjectIsNoProgram) {
  MOULT_NEEDS_FIXTURE("gcc_O2.app.o");
  const ElfFile file = ElfFile::open(fixture("gcc_O2.app.o"));
  EXPECT_THROW(LinkedFile{file}, Error);
}

}  // namespace
}  // namespace moult::internal::diff
