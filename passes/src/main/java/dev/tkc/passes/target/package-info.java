/** What a target can do, as data: backends fill in one {@link dev.tkc.passes.target.TargetInfo} per processor. */
package dev.tkc.passes.target;
