#include "heap/container_memory.hpp"

#include <algorithm>

namespace moult::internal {
namespace {

using Address = std::uintptr_t;

Address word_at(Address address) noexcept { return ReadableMemory::get<Address>(address); }

bool is_aligned(Address address, ElementShape element) noexcept { return address % element.alignment == 0; }

class RunReader final {
 public:
  RunReader(ReadableMemory& memory, const HeapType& container, ElementShape element, Address address)
      : memory_(memory), at_(container.at), element_(element), address_(address) {}

  bool read_range(std::vector<ElementRun>& runs) {
    const Address begin = word_at(address_ + at_.begin);
    const Address end = word_at(address_ + at_.end);
    const Address limit = word_at(address_ + at_.limit);
    if (begin == 0) return end == 0 && limit == 0;
    if (end < begin || limit < end || (limit - begin) % element_.size != 0) return false;
    return add(begin, end, runs);
  }

  bool read_optional(std::vector<ElementRun>& runs) {
    const auto flag = ReadableMemory::get<std::uint8_t>(address_ + at_.begin);
    if (flag == 1) runs.push_back({address_ + at_.value, 1});
    return flag <= 1;
  }

  /// A deque has an array of buffer addresses. Its first and its end iterator each hold the element, the buffer's two
  /// ends, and the buffer's place in the array.
  bool read_deque(std::vector<ElementRun>& runs) {
    constexpr std::size_t buffer_size = 512;
    const std::size_t bytes = element_.size < buffer_size ? buffer_size / element_.size * element_.size : element_.size;
    const Iterator start = iterator_at(address_ + at_.begin);
    const Iterator finish = iterator_at(address_ + at_.end);
    const Address row = word_at(address_ + at_.limit);
    const std::size_t room = word_at(address_ + at_.count);
    if (row == 0) return room == 0 && start.where == finish.where;
    if (room > memory_.size() / sizeof(Address) || !memory_.can_read(row, room * sizeof(Address))) return false;
    const bool is_in_row = row <= start.node && start.node <= finish.node &&
                           finish.node - row < room * sizeof(Address) && (start.node - row) % sizeof(Address) == 0 &&
                           (finish.node - row) % sizeof(Address) == 0;
    if (!is_in_row || !is_sound(start, bytes) || !is_sound(finish, bytes)) return false;
    for (Address node = start.node; node <= finish.node; node += sizeof(Address)) {
      const Address first = word_at(node);
      const Address begin = node == start.node ? start.where : first;
      const Address end = node == finish.node ? finish.where : first + bytes;
      if (end < begin || !add(begin, end, runs)) return false;
    }
    return true;
  }

 private:
  struct Iterator {
    Address where = 0;
    Address first = 0;
    Address last = 0;
    Address node = 0;
  };
  static Iterator iterator_at(Address address) noexcept { return ReadableMemory::get<Iterator>(address); }

  static bool is_sound(const Iterator& at, std::size_t bytes) noexcept {
    return word_at(at.node) == at.first && at.last - at.first == bytes && at.first <= at.where && at.where <= at.last;
  }

  bool add(Address begin, Address end, std::vector<ElementRun>& runs) {
    if ((end - begin) % element_.size != 0 || !is_aligned(begin, element_)) return false;
    if (begin == end) return true;
    if (!memory_.can_read(begin, end - begin)) return false;
    runs.push_back({begin, (end - begin) / element_.size});
    return true;
  }

  ReadableMemory& memory_;
  const Places& at_;
  ElementShape element_;
  Address address_;
};

class NodeReader final {
 public:
  NodeReader(ReadableMemory& memory, const HeapType& container, ElementShape element, Address address,
             std::vector<Address>& elements)
      : memory_(memory), at_(container.at), element_(element), address_(address), elements_(elements) {
    if (at_.count != Places::none) count_ = word_at(address + at_.count);
  }

  /// Each node holds its predecessor's address too, so a cycle without the head is detected.
  bool read_list() {
    const Address head = address_ + at_.begin;
    Address previous = head;
    Address node = word_at(head + at_.next);
    for (; node != head; node = word_at(node + at_.next)) {
      if (elements_.size() == count_ || !is_node(node) || word_at(node + at_.previous) != previous) return false;
      elements_.push_back(node + at_.value);
      previous = node;
    }
    return elements_.size() == count_ && word_at(head + at_.previous) == previous;
  }

  /// Detects a cycle with a mark that moves at every power of two (Brent).
  bool read_chain() {
    Address mark = 0;
    for (Address node = word_at(address_ + at_.begin); node != 0; node = word_at(node + at_.next)) {
      if (elements_.size() == count_ || node == mark || !is_node(node)) return false;
      if ((elements_.size() & (elements_.size() + 1)) == 0) mark = node;
      elements_.push_back(node + at_.value);
    }
    return at_.count == Places::none || elements_.size() == count_;
  }

  /// In the order of the elements, through the parents.
  bool read_tree() {
    head_ = address_ + at_.begin;
    const Address root = word_at(head_ + at_.parent);
    if (count_ == 0 || root == 0) return count_ == 0 && root == 0;
    if (count_ > memory_.size() / element_.size || !is_node(root) || word_at(root + at_.parent) != head_) return false;
    Address node = lowest(root);
    if (node != word_at(head_ + at_.left)) return false;
    for (; node != 0 && node != head_; node = next(node)) {
      if (elements_.size() == count_) return false;
      elements_.push_back(node + at_.value);
    }
    return node == head_ && elements_.size() == count_;
  }

 private:
  bool is_node(Address node) noexcept {
    return node % alignof(Address) == 0 && is_aligned(node + at_.value, element_) &&
           memory_.can_read(node, at_.value + element_.size);
  }

  bool is_child(Address node, Address parent) noexcept { return is_node(node) && word_at(node + at_.parent) == parent; }

  /// The leftmost node below; 0 when something is wrong: no tree is that deep.
  Address lowest(Address node) noexcept {
    constexpr int deepest = 128;
    for (int depth = 0; depth < deepest; ++depth) {
      const Address left = word_at(node + at_.left);
      if (left == 0) return node;
      if (!is_child(left, node)) return 0;
      node = left;
    }
    return 0;
  }

  Address next(Address node) noexcept {
    const Address right = word_at(node + at_.right);
    if (right != 0) return is_child(right, node) ? lowest(right) : 0;
    for (Address parent = word_at(node + at_.parent); parent != head_; parent = word_at(node + at_.parent)) {
      if (!is_node(parent)) return 0;
      if (word_at(parent + at_.left) == node) return parent;
      if (word_at(parent + at_.right) != node) return 0;
      node = parent;
    }
    return head_;
  }

  ReadableMemory& memory_;
  const Places& at_;
  ElementShape element_;
  Address address_;
  Address head_ = 0;
  std::size_t count_ = ~std::size_t{0};
  std::vector<Address>& elements_;
};

}  // namespace

bool read_runs(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
               std::vector<ElementRun>& runs) {
  RunReader reader(memory, container, element, address);
  switch (container.shape) {
    case Shape::range: return reader.read_range(runs);
    case Shape::deque: return reader.read_deque(runs);
    case Shape::optional: return reader.read_optional(runs);
    default: return false;
  }
}

bool read_nodes(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
                std::vector<std::uintptr_t>& elements) {
  NodeReader reader(memory, container, element, address, elements);
  switch (container.shape) {
    case Shape::list: return reader.read_list();
    case Shape::chain: return reader.read_chain();
    case Shape::tree: return reader.read_tree();
    default: return false;
  }
}

}  // namespace moult::internal
