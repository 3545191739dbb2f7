# What a sanitizer cannot run is left out of the tests, and ctest shows it as skipped, with the reason.
#
# The thread sanitizer holds a signal back until the thread next calls into its runtime, and that runtime locks and
# allocates on every access: nowhere is a thread stopped where it stands, and no such place would be safe. It also puts a
# cleanup into every function, which an unwinding finds on its way.
set(MOULT_LEFT_OUT_thread
    unit/platform/stop_signal_test unit/platform/single_step_test
    unit/unwind/forced_unwind_test unit/unwind/exception_table_test
    unit/threads/stopped_world_test unit/threads/safepoint_test unit/threads/undisturbed_test
    unit/threads/memory_in_stop_test unit/threads/service_threads_test unit/threads/frame_walk_test
    unit/watch/return_stub_test unit/watch/fault_handler_test
    unit/code/entry_value_test unit/code/patch_test
    unit/pools/data_access_test unit/pools/module_test unit/pools/stop_test unit/convert/conversion_workers_test
    unit/alterability/quiescence_test unit/alterability/object_quiescence_test
    unit/classes/object_change_test unit/classes/single_objects_test unit/heap/container_memory_test
    unit/additions/class_additions_test
    unit/stacks/frame_locals_test unit/stacks/stack_reading_test unit/stacks/local_change_test
    install/readme_example live limits)
set(MOULT_LEFT_OUT_BECAUSE_thread
    "the thread sanitizer holds signals back, locks in its runtime and gives each function a cleanup, so that no thread can be stopped at a safe place, nor unwound as it would be")

# Code without threads, which the thread sanitizer has nothing to say about.
set(MOULT_SINGLE_THREADED unit/symbols unit/diff unit/cli)

# Under the address and undefined-behaviour sanitizers everything runs, but for one test that says so itself. Their check
# of virtual tables (vptr) is off: that code which knows an object as of one class finds it to be of another is what
# changing a class means.

# Variables of the calls in progress of `targets` are looked at, or it is read who has a function's address. The address
# sanitizer would keep such variables in a frame of its own, of whose layout the compiler tells nothing, together with
# the address of their function: it leaves these stacks alone.
function(moult_plain_stacks)
  if(MOULT_SANITIZER STREQUAL address)
    foreach(target IN LISTS ARGN)
      target_compile_options(${target} PRIVATE "SHELL:--param asan-stack=0")
    endforeach()
  endif()
endfunction()

# The test's allocator would take the place of the sanitizer's. And tests of plain code cannot have the sanitizer's in it.
set(MOULT_LEFT_OUT_address live/memory live/functions/knowledge_test live/functions/stopped_reading_test)
set(MOULT_LEFT_OUT_BECAUSE_address
    "the sanitizer has an allocator of its own, and the test preloads one that fails; or the sanitizer's checks are in the code and the debug information whose least content the test is about")

# Sets `result` to whether `name`, a test's file or a folder of tests, is left out; makes the skipped test if so.
function(moult_is_left_out result name)
  set(${result} OFF PARENT_SCOPE)
  if(MOULT_SANITIZER STREQUAL thread AND name IN_LIST MOULT_SINGLE_THREADED)
    set(why "its code has one thread")
  elseif(MOULT_SANITIZER AND name IN_LIST MOULT_LEFT_OUT_${MOULT_SANITIZER})
    set(why ${MOULT_LEFT_OUT_BECAUSE_${MOULT_SANITIZER}})
  else()
    return()
  endif()
  set(${result} ON PARENT_SCOPE)
  set(words "${name} is left out: ${why}")
  message(STATUS "${words}")
  add_test(NAME left_out/${name} COMMAND ${CMAKE_COMMAND} -E echo "${words}")
  set_tests_properties(left_out/${name} PROPERTIES SKIP_REGULAR_EXPRESSION "is left out")
endfunction()
