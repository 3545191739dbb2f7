#include "symbols/inlined_copies.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "elf/elf_file.hpp"
#include "fixtures.hpp"
#include "symbols/function_index.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

std::vector<std::string> lines_of(const InlinedCopies& found) {
  std::vector<std::string> lines{found.is_complete ? "complete" : "incomplete"};
  for (const InlinedCopy& copy : found.copies) {
    lines.push_back(copy.file + ":" + std::to_string(copy.line) + " in " + copy.caller_name + " at " +
                    std::to_string(copy.caller));
  }
  return lines;
}

std::vector<std::string> lines_of(const std::optional<std::vector<InlinedSite>>& sites) {
  if (!sites) return {"nothing is known"};
  std::vector<std::string> lines;
  for (const InlinedSite& site : *sites) {
    lines.push_back(site.file + ":" + std::to_string(site.line) + " in " + site.caller + " at " +
                    std::to_string(value(site.caller_range.begin)) + " to " +
                    std::to_string(value(site.caller_range.end)));
  }
  return lines;
}

std::vector<FunctionSymbol> all_functions(const Program& program) {
  return program.search("", std::numeric_limits<std::size_t>::max());
}

class CopiesOfAllFunctions : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Programs, CopiesOfAllFunctions,
                         testing::Values("names_gcc_O0.so", "names_gcc_O2.so", "names_clang_O0.so", "names_clang_O2.so",
                                         "inlined_gcc_O0_dwarf4.so", "inlined_gcc_O0_dwarf5.so",
                                         "inlined_gcc_O2_dwarf4.so", "inlined_gcc_O2_dwarf5.so",
                                         "inlined_clang_O0_dwarf4.so", "inlined_clang_O0_dwarf5.so",
                                         "inlined_clang_O2_dwarf4.so", "inlined_clang_O2_dwarf5.so", "inlined_lto.so",
                                         "inlined_type_units.so", "inlined_compressed.so", "inlined_split.so",
                                         "inlined_shared.so", "inlined_split_lost.so", "inlined_half.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(CopiesOfAllFunctions, TheIndexAnswersWhatTheSearchAnswers) {
  const ElfFile file = ElfFile::open(fixture(GetParam()));
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  ASSERT_NE(info, nullptr);
  const CopyIndex index(*info);
  const FunctionIndex symbols({&file}, file);
  std::size_t copies = 0;
  for (const FunctionSymbol& function : all_functions(Program::of_file(fixture(GetParam())))) {
    InlinedFunction asked{{value(function.range.begin)}, {}};
    for (const CodeRange& fragment : function.fragments) asked.addresses.push_back(value(fragment.begin));
    for (const bool by_name : {false, true}) {
      for (const Symbol* alias : symbols.aliases_of(value(function.range.begin))) {
        if (by_name && !alias->is_local) asked.names.emplace_back(alias->name);
      }
      const InlinedCopies searched = find_inlined_copies(*info, asked);
      EXPECT_EQ(lines_of(index.copies_of(asked)), lines_of(searched)) << function.demangled;
      copies += searched.copies.size();
    }
  }
  const bool has_copies = std::string_view(GetParam()).substr(0, 8) == "inlined_" &&
                          std::string_view(GetParam()) != "inlined_split_lost.so";
  EXPECT_TRUE(copies > 0 || !has_copies) << "nothing was compared but emptiness";
}

TEST_P(CopiesOfAllFunctions, ATwentiethQuestionIsAnsweredAsAFirstOne) {
  const Program asked_often = Program::of_file(fixture(GetParam()));
  const std::vector<FunctionSymbol> functions = all_functions(asked_often);
  ASSERT_FALSE(functions.empty());
  for (int question = 1; question < 20; ++question) asked_often.inlined_sites(functions.front());
  for (const FunctionSymbol& function : functions) {
    const Program fresh = Program::of_file(fixture(GetParam()));
    EXPECT_EQ(lines_of(asked_often.inlined_sites(function)), lines_of(fresh.inlined_sites(function)))
        << function.demangled;
  }
}

TEST(CopyIndex, AFunctionWithoutCodeIsFoundByItsName) {
  const ElfFile file = ElfFile::open(fixture("inlined_gcc_O2_dwarf5.so"));
  const std::unique_ptr<DebugInfo> info = DebugInfo::open(file);
  ASSERT_NE(info, nullptr);
  const InlinedFunction asked{{}, {"_ZN7AccountC1Ei"}};
  const InlinedCopies found = CopyIndex(*info).copies_of(asked);
  EXPECT_EQ(lines_of(found), lines_of(find_inlined_copies(*info, asked)));
  EXPECT_FALSE(found.is_complete);
  EXPECT_THAT(found.copies, testing::SizeIs(2));
}

}  // namespace
}  // namespace moult::internal
