/** Random inputs against what must hold for every input. */
package dev.tkc.tests.fuzz;
