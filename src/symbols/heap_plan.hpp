// The plan of a heap walk, made from the debug information while the program runs. In the stopped program the walk then
// reads only memory.
//
// The plan is reduced to the types that lead to the wanted classes. Making it reads the debug information of all loaded
// modules: seconds for a big program. In any thread, never in a signal handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "symbols/heap_type.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

struct HeapRoot {
  std::string name;
  std::uintptr_t address = 0;
  std::size_t type = no_type;
};

/// A class's vtable in memory.
struct VtablePlace {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::size_t type = no_type;  ///< none when no debug information describes the class, or the class is irrelevant
  std::string class_name;
};

/// A kind of place, and how often it occurs.
struct HeapNote {
  std::string what;  ///< in the plural: "void pointers"
  std::size_t count = 0;
  std::string first;
};

struct HeapPlan {
  std::vector<HeapType> types;
  std::vector<HeapRoot> roots;         ///< the ones that lead to something wanted
  std::vector<VtablePlace> vtables;    ///< sorted
  std::vector<HeapNote> not_followed;  ///< each place of a type counts once, however many objects there are
};

struct WantedClass {
  std::string name;  ///< typeid's name, demangled
  std::size_t size = 0;
  std::size_t alignment = 0;
};

/// A pointer type that is wanted itself.
struct WantedPointer {
  std::string name;  ///< typeid's name, demangled: "int (*)(int)"
  std::size_t size = 0;
};

struct HeapRequest {
  std::vector<std::size_t> modules;  ///< indices into Program::modules(): their variables are the roots
  std::vector<WantedClass> wanted;
  bool follows_raw_pointers = true;
  std::vector<WantedPointer> pointers{};  ///< numbered behind the classes
};

/// Throws Error: not_found (a module without debug information), layout_mismatch (a wanted class has another size).
HeapPlan plan_heap_walk(const Program& program, const HeapRequest& request);

}  // namespace moult::internal
