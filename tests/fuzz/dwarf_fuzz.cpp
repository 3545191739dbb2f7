// Debug information: a whole file, of which mostly the sections of debug information are changed.
#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "memory_file.hpp"
#include "moult/error.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/class_uses.hpp"
#include "symbols/frame_variables.hpp"
#include "symbols/program.hpp"
#include "symbols/static_variables.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace moult::internal;

struct Part {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// The sections of debug information whose bytes lie in the file.
std::vector<Part> debug_sections(const std::uint8_t* data, std::size_t size) {
  Elf64_Ehdr header{};
  std::vector<Part> found;
  if (size < sizeof header) return found;
  std::memcpy(&header, data, sizeof header);
  const auto section = [&](std::size_t number, Elf64_Shdr& made) {
    if (header.e_shoff > size || (size - header.e_shoff) / sizeof made <= number) return false;
    std::memcpy(&made, data + header.e_shoff + number * sizeof made, sizeof made);
    return made.sh_offset < size && made.sh_size <= size - made.sh_offset;
  };
  Elf64_Shdr names{};
  if (!section(header.e_shstrndx, names)) return found;
  const std::string_view text(reinterpret_cast<const char*>(data) + names.sh_offset, names.sh_size);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr each{};
    if (section(i, each) && each.sh_size != 0 && each.sh_name < text.size() &&
        text.substr(each.sh_name).starts_with(".debug_"))
      found.push_back({each.sh_offset, each.sh_size});
  }
  return found;
}

void ask_about(const Program& program, const FunctionSymbol& function) {
  program.inlined_sites(function);
  program.was_inlined(function);
  program.namesakes_of(function);
  program.debug_info_problem(function);
  program.result_type(function);
  program.parameter_types(function);
  program.is_noreturn(function);
  program.takes_object(function);
  program.describe(function.range.begin);
  describe_frame(program, function.range.begin);
  static_variables_of(program, 0, function.mangled);
  FrameDescription described;
  for (const std::string& name : variable_names(program, function.range.begin))
    variables_named(program, function.range.begin, name, described);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  const std::vector<Part> sections = debug_sections(data, size);
  if (sections.empty() || random() % 16 == 0) return LLVMFuzzerMutate(data, size, most);
  const Part& section = sections[random() % sections.size()];
  std::size_t at = section.offset;
  std::size_t bytes = section.size;
  if (random() % 2 == 0) {  // a few bytes of it
    at += random() % bytes;
    bytes = std::min<std::size_t>(bytes - (at - section.offset), 1 + random() % 16);
  }
  LLVMFuzzerMutate(data + at, bytes, bytes);  // the file keeps its size
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(data, size);
  try {
    const Program program = Program::of_file(file.path());
    for (const FunctionSymbol& function : program.search("", 8)) ask_about(program, function);
    program.source_definition("area");
    program.defines("area");
    const ClassName circle("Circle");
    class_layouts(program, circle);
    class_uses(program, circle);
    variables_named(program, "count");
  } catch (const moult::Error&) {
  }
  return 0;
}
