// How to walk over a program's heap by the types of its variables: a plan as values, made of the debug information
// while the program runs, so that the walk in the stopped program reads memory and nothing else.
//
// The plan is cut down to what leads to the wanted classes. Making it reads all debug information of the loaded
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

/// A class's vtable as it lies in memory.
struct VtablePlace {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::size_t type = no_type;  ///< none where no debug information describes the class, or it is of no matter
  std::string class_name;
};

/// Places of one kind.
struct HeapNote {
  std::string what;  ///< in the plural: "void pointers"
  std::size_t count = 0;
  std::string first;
};

struct HeapPlan {
  std::vector<HeapType> types;
  std::vector<HeapRoot> roots;         ///< those that lead to something
  std::vector<VtablePlace> vtables;    ///< sorted
  std::vector<HeapNote> not_followed;  ///< places of types, counted once however many objects there are
};

struct WantedClass {
  std::string name;  ///< as typeid, demangled, writes it
  std::size_t size = 0;
  std::size_t alignment = 0;
};

/// A type of pointers that are looked for themselves.
struct WantedPointer {
  std::string name;  ///< as typeid, demangled, writes it: "int (*)(int)"
  std::size_t size = 0;
};

struct HeapRequest {
  std::vector<std::size_t> modules;  ///< whose variables are the roots, of Program::modules()
  std::vector<WantedClass> wanted;
  bool follows_raw_pointers = true;
  std::vector<WantedPointer> pointers{};  ///< numbered behind the classes
};

/// Throws Error: not_found (a module without debug information), layout_mismatch (a wanted class has another size).
HeapPlan plan_heap_walk(const Program& program, const HeapRequest& request);

}  // namespace moult::internal
