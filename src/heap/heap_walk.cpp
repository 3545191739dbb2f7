// Problem: objects outside of pools are reachable only through their owners. The types of the program's variables, and
// the links from type to type, lead to them.
//
// Approach: a list holds the values still to examine, so a long chain of objects needs no deep stack. The walk examines
// a nested value at once. It queues a pointer's target once for each address and type, however many pointers lead
// there. A pointer to a class with a vtable leads to the whole object, by its vtable. The order is that of the
// program's text: members in declaration order, elements in theirs.
//
// The path to a value is a chain of steps of 16 bytes. The walk stores them only where it finds something, and turns
// them into text on request.
//
// Limits: at most 2^32 - 1 steps. The memory map is that of /proc at the beginning. The walk frees only what it has
// allocated itself, so readable memory stays readable.
#include "heap/heap_walk.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/opaque.hpp"
#include "moult/error.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {

HeapWalk::HeapWalk(const HeapPlan& plan, std::vector<bool> may_change, const StoppedWorld& stopped)
    : plan_(plan), may_change_(std::move(may_change)), memory_(stopped) {}

void HeapWalk::run() {
  for (std::size_t i = 0; i < plan_.roots.size(); ++i) {
    const HeapRoot& root = plan_.roots[i];
    Way way{{no_step, static_cast<std::uint32_t>(root.type), i}, no_step};
    arrive(root.address, root.type, way);
    while (!tasks_.empty()) {
      const Task task = tasks_.back();
      tasks_.pop_back();
      const std::size_t before = tasks_.size();
      go_on(task);
      std::reverse(tasks_.begin() + static_cast<std::ptrdiff_t>(before), tasks_.end());
    }
  }
}

std::uint32_t HeapWalk::keep(Way& way) {
  if (way.kept != no_step) return way.kept;
  if (steps_.size() >= no_step)
    throw Error(ErrorCode::unsupported,
                "there are more objects than a walk over the heap can hold; walk over fewer "
                "modules at a time");
  way.kept = static_cast<std::uint32_t>(steps_.size());
  steps_.push_back(way.step);
  return way.kept;
}

HeapWalk::Way HeapWalk::way_from(Way& previous, std::size_t type_number, std::uint64_t number) {
  return {{keep(previous), static_cast<std::uint32_t>(type_number), number}, no_step};
}

void HeapWalk::note(Oddity kind, Way& way) {
  Odd& odd = odd_[static_cast<std::size_t>(kind)];
  if (odd.count++ == 0) odd.first = text_of(keep(way));
}

void HeapWalk::put_off(std::uintptr_t address, std::size_t type_number, Way& way) {
  tasks_.push_back({address, static_cast<std::uint32_t>(type_number), keep(way)});
}

void HeapWalk::visit(std::uintptr_t address, std::size_t type_number, Way& way) {
  const HeapType& wanted = type(type_number);
  const auto number = static_cast<std::uint32_t>(*wanted.wanted);
  if (!visited_.insert(address, number)) return;
  if (may_change_[number] && !memory_.can_write(address, wanted.size)) return note(Oddity::read_only, way);
  found_.push_back({reinterpret_cast<void*>(address), number, keep(way)});
}

void HeapWalk::go_on(const Task& task) {
  Way way{steps_[task.step], task.step};
  switch (type(task.type).shape) {
    case Shape::object: return look_into_object(task.address, task.type, way);
    case Shape::pointer: return follow(task.address, type(task.type), way);
    default: return look_into_elements(task.address, task.type, way);
  }
}

/// A value inside of a readable one.
void HeapWalk::enter(std::uintptr_t address, std::size_t type_number, Way& way) {
  const HeapType& value = type(type_number);
  if (!value.leads) return;
  if (value.wanted) visit(address, type_number, way);
  switch (value.shape) {
    case Shape::leaf:
    case Shape::untyped:
    case Shape::choice: return;
    case Shape::object: return look_into_object(address, type_number, way);
    case Shape::pointer: return follow(address, value, way);
    default: return put_off(address, type_number, way);
  }
}

void HeapWalk::look_into_object(std::uintptr_t address, std::size_t type_number, Way& way) {
  const std::vector<HeapPart>& steps = type(type_number).steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const HeapType& part = type(steps[i].type);
    const std::uintptr_t place = address + steps[i].offset;
    if (part.shape == Shape::pointer && ReadableMemory::get<std::uintptr_t>(place + part.at.begin) == 0) continue;
    Way inner = way_from(way, type_number, i);
    if (part.shape == Shape::object)
      visit(place, steps[i].type, inner);  // the parts have steps of their own
    else
      enter(place, steps[i].type, inner);
  }
}

void HeapWalk::look_into_elements(std::uintptr_t address, std::size_t type_number, Way& way) {
  const HeapType& container = type(type_number);
  const HeapType& element = type(container.target);
  const ElementShape shape{element.size, element.alignment};
  elements_.clear();
  runs_.clear();
  const bool has_nodes =
      container.shape == Shape::list || container.shape == Shape::chain || container.shape == Shape::tree;
  bool is_sound = shape.size != 0;
  if (is_sound && container.shape == Shape::array)
    runs_.push_back({address, container.count});
  else if (is_sound)
    is_sound = has_nodes ? read_nodes(memory_, container, shape, address, elements_)
                         : read_runs(memory_, container, shape, address, runs_);
  if (!is_sound) return note(Oddity::damaged, way);
  std::uint64_t number = 0;
  const auto look_into = [&](std::uintptr_t place) {
    Way inner = way_from(way, type_number, number++);
    enter(place, container.target, inner);
  };
  for (const std::uintptr_t place : elements_) look_into(place);
  for (const ElementRun& run : runs_)
    for (std::size_t i = 0; i < run.count; ++i) look_into(run.begin + i * shape.size);
}

void HeapWalk::follow(std::uintptr_t address, const HeapType& pointer, Way& way) {
  const auto target = ReadableMemory::get<std::uintptr_t>(address + pointer.at.begin);
  if (target != 0 && is_counted(address, pointer, way)) arrive(target, pointer.target, way);
}

/// False when no owner holds the object any more.
bool HeapWalk::is_counted(std::uintptr_t address, const HeapType& pointer, Way& way) {
  if (pointer.at.count == Places::none) return true;
  const auto block = ReadableMemory::get<std::uintptr_t>(address + pointer.at.count);
  if (block == 0) return pointer.pointing == Pointing::shared;  // one that owns nothing, and points at something
  const std::uintptr_t count = block + pointer.at.value;
  const bool is_there = count % alignof(int) == 0 && memory_.can_read(count, sizeof(int));
  if (is_there && ReadableMemory::get<int>(count) > 0) return true;
  if (!is_there || pointer.pointing == Pointing::shared) note(Oddity::damaged, way);
  return false;
}

void HeapWalk::arrive(std::uintptr_t target, std::size_t type_number, Way& way) {
  if (type(type_number).has_vtable && !resolve(target, type_number, way)) return;
  const HeapType& value = type(type_number);
  if (!value.leads) return;
  if (target % value.alignment != 0) return note(Oddity::misaligned, way);
  if (!memory_.can_read(target, value.size)) return note(Oddity::unreadable, way);
  if (value.wanted) visit(target, type_number, way);
  const bool leads_on = value.shape == Shape::object ? !value.steps.empty() : value.target != no_type;
  if (leads_on && entered_.insert(target, static_cast<std::uint32_t>(type_number))) put_off(target, type_number, way);
}

/// An object with a vtable pointer is of the vtable's class, and may begin before the base that the pointer leads to.
bool HeapWalk::resolve(std::uintptr_t& target, std::size_t& type_number, Way& way) {
  constexpr std::size_t to_first_function = 2 * sizeof(void*);
  const auto refuse = [&](Oddity kind) {
    note(kind, way);
    return false;
  };
  if (target % alignof(void*) != 0) return refuse(Oddity::misaligned);
  if (!memory_.can_read(target, sizeof(void*))) return refuse(Oddity::unreadable);
  const auto pointer = ReadableMemory::get<std::uintptr_t>(target);
  const auto after =
      std::upper_bound(plan_.vtables.begin(), plan_.vtables.end(), pointer,
                       [](std::uintptr_t wanted, const VtablePlace& vtable) { return wanted < vtable.begin; });
  if (after == plan_.vtables.begin()) return refuse(Oddity::no_vtable);
  const VtablePlace& vtable = *std::prev(after);
  const bool is_inside = pointer >= vtable.begin + to_first_function && pointer <= vtable.end;
  if (!is_inside || !memory_.can_read(pointer - to_first_function, to_first_function)) return refuse(Oddity::no_vtable);
  if (vtable.type == no_type) {
    note(Oddity::undescribed, way);
    return true;
  }
  const auto to_top = ReadableMemory::get<std::int64_t>(pointer - to_first_function);
  const HeapPart* base = base_at(vtable.type, static_cast<std::uint64_t>(-to_top), type_number);
  if (base == nullptr) return refuse(Oddity::another_class);
  if (base->offset == Places::none) return true;  // a virtual base is not examined from the whole object
  target += static_cast<std::uintptr_t>(to_top);
  type_number = vtable.type;
  return true;
}

const HeapPart* HeapWalk::base_at(std::size_t whole, std::uint64_t offset, std::size_t base) const {
  const std::vector<HeapPart>& bases = type(whole).bases;
  const auto found = std::find_if(bases.begin(), bases.end(), [&](const HeapPart& one) {
    const bool is_there = one.offset == offset || one.offset == Places::none;
    return is_there && (one.type == base || type(one.type).name == type(base).name);
  });
  return found != bases.end() ? &*found : nullptr;
}

std::vector<HeapRemark> HeapWalk::oddities() const {
  constexpr std::array<std::string_view, 7> texts{
      "pointers to memory that cannot be read",
      "pointers that are not aligned",
      "pointers to what has no vtable",
      "pointers to objects of an unrelated class",
      "objects of classes that no debug information defines, but for their known base",
      "containers whose parts disagree",
      "objects in read-only memory",
  };
  std::vector<HeapRemark> remarks;
  for (std::size_t i = 0; i < odd_.size(); ++i)
    if (odd_[i].count != 0) remarks.push_back({std::string(texts[i]), odd_[i].count, odd_[i].first});
  return remarks;
}

/// The text of one step; `place` becomes the type of the value it leads to.
std::string HeapWalk::step_text(const Step& step, std::size_t& place) const {
  const HeapType& from = type(step.type);
  if (from.shape == Shape::object) {
    const HeapPart& part = from.steps[step.number];
    place = part.type;
    return part.name;
  }
  place = from.target;
  return from.shape == Shape::optional ? std::string() : "[" + std::to_string(step.number) + "]";
}

std::string HeapWalk::text_of(std::uint32_t step) const {
  std::vector<std::uint32_t> steps;
  for (std::uint32_t at = step; at != no_step; at = steps_[at].previous) steps.push_back(at);
  std::reverse(steps.begin(), steps.end());
  const HeapRoot& root = plan_.roots[steps_[steps.front()].number];
  constexpr std::size_t most = 12;  // from each end
  std::string text = root.name;
  std::size_t place = root.type;
  bool is_behind_pointer = false;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    for (; type(place).shape == Shape::pointer; place = type(place).target) is_behind_pointer = true;
    if (type(steps_[steps[i]].type).shape == Shape::optional) is_behind_pointer = true;
    const std::string part = step_text(steps_[steps[i]], place);
    if (part.empty()) continue;
    if (i == most && i + most < steps.size()) text += "...";
    if (i >= most && i + most < steps.size()) continue;
    const bool is_member = part.front() == '.';
    text += is_behind_pointer ? "->" + part.substr(is_member ? 1 : 0) : part;
    is_behind_pointer = false;
  }
  return text;
}

}  // namespace moult::internal

namespace moult {

std::string HeapPath::text() const { return internal::behind<internal::HeapWalk>(*walk_).text_of(step_); }

}  // namespace moult

namespace moult::internal {

namespace {

std::string file_name_of(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::size_t find_module(const Program& program, const std::string& name) {
  std::string loaded;
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const std::string& path = program.modules()[i].path;
    if (path == name || file_name_of(path) == name) return i;
    loaded += (loaded.empty() ? "" : ", ") + file_name_of(path);
  }
  throw Error(ErrorCode::not_found, name + ": no such module is loaded; loaded are " + loaded);
}

}  // namespace

void require_short_walk(const std::string& call, const std::string& next_step) {
  require_short_reading(call, next_step, [] {
    const Program program = Program::of_this_process();
    std::size_t size = 0;
    for (std::size_t i = 0; i < program.modules().size(); ++i)
      if (!program.is_apart(i)) size += program.debug_info_size(i);
    return size;
  });
}

std::vector<std::size_t> find_modules(const Program& program, const std::vector<std::string>& names) {
  std::vector<std::size_t> modules;
  for (const std::string& name : names) modules.push_back(find_module(program, name));
  if (modules.empty()) modules.push_back(0);  // the loader's first module is the program
  return modules;
}

}  // namespace moult::internal
