#include "program.hpp"

namespace app {
namespace {

std::vector<Data> hidden_vector;
std::shared_ptr<Node> graph;

}  // namespace

std::multiset<int>& living() {
  static std::multiset<int> numbers;
  return numbers;
}

Data::Data(int wanted) : number(wanted) { living().insert(number); }
Data::Data(const Data& other) : number(other.number), text(other.text) { living().insert(number); }
Data::Data(Data&& other) noexcept : number(other.number), text(std::move(other.text)) { living().insert(number); }
Data::~Data() { living().erase(living().find(number)); }

Shape::~Shape() = default;
Named::~Named() = default;

std::vector<Data> Depot::shared;
Depot the_depot;
std::vector<Data> vector_of_values;
std::list<Data> list_of_values;
std::forward_list<Data> forward;
std::set<Data> sorted;
std::unordered_set<Data, HashOfData> hashed;
std::multimap<int, std::tuple<int, std::unique_ptr<Data>>> tuples;
std::vector<std::unique_ptr<Shape>> shapes;
std::optional<Data> nothing;
std::pair<int, std::optional<Data>> something;
Data* array_of_pointers[2][3];
std::atomic<Data*> published{nullptr};
std::unique_ptr<Grid> grid;
Data** pointer_to_pointer = nullptr;
Chain* first_of_chain = nullptr;
Shape* dangling = nullptr;
extern const Setting setting;
const Setting setting{7};

// Not followed.
void* somewhere = nullptr;
std::function<int()> callback;
Either either{};
std::variant<int, std::unique_ptr<Data>> variant;
Hidden* unknown = nullptr;
thread_local std::unique_ptr<Data> of_the_thread;

std::vector<Data>& of_a_function() {
  static std::vector<Data> own;
  return own;
}

namespace {

int next_number = 1;
std::multiset<int> expected;

int number() {
  expected.insert(next_number);
  return next_number++;
}

void fill_depot() {
  for (const char* name : {"first", "second", "a third one whose name needs memory"})
    for (int i = 0; i < 3; ++i) the_depot.shelves[name].push_back(std::make_unique<Data>(number()));
  the_depot.shelves["empty"].push_back(nullptr);
  for (int key = 0; key < 40; ++key)
    for (int i = 0; i < key; ++i) the_depot.queues[key].emplace_back(number());
  for (int i = 0; i < 20; ++i)
    the_depot.queues[39].pop_front(), expected.erase(the_depot.queues[39].front().number - 1);
  the_depot.perhaps.emplace_back(Data(number()));
  the_depot.perhaps.emplace_back(std::nullopt);
  the_depot.perhaps.emplace_back(Data(number()));
  Depot::shared.emplace_back(number());
}

void fill_graph() {
  graph = std::make_shared<Node>(number());
  auto second = std::make_shared<Node>(number());
  graph->next = {second, graph};
  second->next = {graph, second};
  second->back = graph;
  graph->back = second;
}

void fill_pointers() {
  array_of_pointers[1][2] = new Data(number());
  array_of_pointers[0][0] = array_of_pointers[1][2];  // twice
  array_of_pointers[0][1] = &vector_of_values.front();
  published = new Data(number());
  static Data* inner = nullptr;
  inner = new Data(number());
  pointer_to_pointer = &inner;
  grid = std::make_unique<Grid>(Grid{{{Data(number()), Data(number())}, {Data(number()), Data(number())}}});
}

void fill_hidden() {
  auto* unseen = new Data(-2);
  somewhere = unseen;
  either.data = unseen;
  variant = std::make_unique<Data>(-3);
  of_the_thread = std::make_unique<Data>(-4);
  callback = [seen = std::make_shared<Data>(-5)] { return seen->number; };
}

}  // namespace

std::multiset<int> fill() {
  expected.clear();
  fill_depot();
  for (int i = 0; i < 5; ++i) vector_of_values.emplace_back(number());
  vector_of_values.reserve(50);
  for (int i = 0; i < 5; ++i) list_of_values.emplace_back(number());
  for (int i = 0; i < 5; ++i) forward.emplace_front(number());
  for (int i = 0; i < 100; ++i) sorted.emplace(number());
  for (int i = 0; i < 100; ++i) hashed.emplace(number());
  for (int i = 0; i < 5; ++i) tuples.emplace(1, std::tuple(i, std::make_unique<Data>(number())));
  shapes.push_back(std::make_unique<Circle>(number()));
  shapes.push_back(std::make_unique<Square>(number()));
  something.second.emplace(number());
  hidden_vector.emplace_back(number());
  of_a_function().emplace_back(number());
  fill_graph();
  fill_pointers();
  fill_hidden();
  return expected;
}

void clear() {
  the_depot = Depot();
  Depot::shared.clear();
  vector_of_values.clear();
  list_of_values.clear();
  forward.clear();
  sorted.clear();
  hashed.clear();
  tuples.clear();
  shapes.clear();
  something.second.reset();
  hidden_vector.clear();
  of_a_function().clear();
  if (graph) graph->next[0]->next.clear(), graph->next.clear();
  graph.reset();
  delete array_of_pointers[1][2];
  array_of_pointers[1][2] = array_of_pointers[0][0] = array_of_pointers[0][1] = nullptr;
  delete published.exchange(nullptr);
  if (pointer_to_pointer != nullptr) delete std::exchange(*pointer_to_pointer, nullptr);
  pointer_to_pointer = nullptr;
  grid.reset();
  somewhere = nullptr;
  delete std::exchange(either.data, nullptr);
  variant = 0;
  of_the_thread.reset();
  callback = nullptr;
  dangling = nullptr;
  while (first_of_chain != nullptr) delete std::exchange(first_of_chain, first_of_chain->next);
}

void make_chain(int length) {
  for (int i = 0; i < length; ++i) {
    auto* link = new Chain;
    link->next = first_of_chain;
    first_of_chain = link;
  }
}

Depot& depot() { return the_depot; }
std::vector<Data>& plain_vector() { return vector_of_values; }
std::list<Data>& plain_list() { return list_of_values; }
void keep_dangling(Shape* pointer) { dangling = pointer; }
Chain*& chain() { return first_of_chain; }

}  // namespace app
